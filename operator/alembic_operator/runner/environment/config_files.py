"""Which other file has Alembic's configuration, where the one that was looked for is missing or cannot be read."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from ..terms import CONFIG_FILE, PATH

_PATTERNS = ("alembic.ini", "pyproject.toml", "*.ini", "*.cfg", "*/alembic.ini")
_SECTION = re.compile(r"^\s*\[\s*alembic\s*\]", re.MULTILINE)
_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*alembic\s*[\].]", re.MULTILINE)


def is_configuration(path: Path) -> bool:
    """Whether a file has a section for Alembic, be the rest of it broken."""
    with suppress(OSError, UnicodeDecodeError):
        pattern = _TABLE if path.suffix == ".toml" else _SECTION
        return pattern.search(path.read_text("utf-8")) is not None
    return False


def propose_other(path: Path) -> str:
    """A sentence that names another file with Alembic's configuration; "" without one."""
    folder = path.parent
    for pattern in _PATTERNS:
        for other in sorted(folder.glob(pattern)):
            if other == path or not is_configuration(other):
                continue
            if other.parent == folder:
                return f" {other.name} there has Alembic's configuration: set {CONFIG_FILE} to it."
            return f" {other} has Alembic's configuration: set {PATH} to its folder."
    return ""


def broken_toml(path: Path, error: ValueError) -> tuple[Path, str]:
    """The file that cannot be parsed and where in it; the error's own text is not told.

    Args:
        path: of the configuration; Alembic reads a pyproject.toml beside an ini file too.
        error: TOMLDecodeError, of tomllib or tomli.
    """
    line = re.search(r"at line (\d+)", str(error))
    where = f"in line {line.group(1)}" if line else "at its end"
    return path if path.suffix == ".toml" else path.with_name("pyproject.toml"), f"TOMLDecodeError {where}"
