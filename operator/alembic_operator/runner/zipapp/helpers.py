"""The helpers that the zipapp carries: offered to revisions unless the image has its own, no older copy."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import sys

PACKAGE = "alembic_operator_helpers"
DIRECTORY = "bundled"


def offer_bundled_helpers() -> None:
    """Put the zipapp's copy of the helpers on sys.path: last, or first where the image's copy is older."""
    if ".pyz" not in __file__:
        return  # run from its source by the command-line tool, which carries no copy
    archive = __file__.split(".pyz")[0] + ".pyz"
    bundled = f"{archive}/{DIRECTORY}"
    installed = importlib.util.find_spec(PACKAGE)
    if installed is None:
        sys.path.append(bundled)
    elif _numbers(_installed_version()) < _numbers(_bundled_version()):
        sys.path.insert(0, bundled)


def _installed_version() -> str:
    import importlib.metadata  # noqa: PLC0415 (40 ms, and seldom needed)

    try:
        return importlib.metadata.version(PACKAGE.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return "0"  # a folder that was copied, not a distribution: nothing says how old it is


def _bundled_version() -> str:
    return (pkgutil.get_data(__package__ or "", "helpers-version.txt") or b"0").decode("ascii")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
