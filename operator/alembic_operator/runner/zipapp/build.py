"""Building the runner's zipapp: `python -m alembic_operator.runner.zipapp.build -o FILE`.

The same source gives the same bytes on every machine: sorted names, fixed times, no compiled files.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path

from . import helpers

_PACKAGE = Path(__file__).parents[2]
_HELPERS = _PACKAGE.parent.parent / "helpers" / helpers.PACKAGE
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip file can hold
_START = Path(__file__).with_name("start.py")
_LEFT_OUT = frozenset({"build.py", _START.name, "bootstrap.py"})  # the last is of the operator: it starts the zipapp


def build(target: Path) -> str:
    """Write the zipapp.

    Returns:
        Its sha256, in hex: what `contract.bootstrap` pins.
    """
    files = {"__main__.py": _START.read_bytes(), "alembic_operator/__init__.py": b""}
    for package in ("contract", "runner"):
        files.update(_sources(_PACKAGE / package, f"alembic_operator/{package}"))
    if _HELPERS.is_dir():
        files.update(_sources(_HELPERS, f"{helpers.DIRECTORY}/{helpers.PACKAGE}"))
        version = re.search(r'^__version__ = "([^"]+)"', (_HELPERS / "__init__.py").read_text("utf-8"), re.MULTILINE)
        if version is None:
            raise SystemExit(f'{_HELPERS}/__init__.py has no line __version__ = "…"')
        files["alembic_operator/runner/zipapp/helpers-version.txt"] = version[1].encode("ascii")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, on every machine
            archive.writestr(entry, files[name])
    target.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _sources(directory: Path, prefix: str) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if path.suffix in (".py", ".sql") and path.name not in _LEFT_OUT]
    return {f"{prefix}/{path.relative_to(directory).as_posix()}": path.read_bytes() for path in paths}


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m alembic_operator.runner.zipapp.build", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    output: Path = parser.parse_args().output
    sha256 = build(output)
    sys.stdout.write(f"{sha256}  {output}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
