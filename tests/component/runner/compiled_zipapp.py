"""The runner's zipapp for the tests: as it is shipped, with its modules compiled for this interpreter beside them.

In a pod a run compiles its modules itself, half a second of CPU. Hundreds of runs would spend minutes on it; another
interpreter passes the compiled files over, and runs the sources.
"""

from __future__ import annotations

import hashlib
import py_compile
import zipfile
from pathlib import Path

from alembic_operator.runner.zipapp.build import build


def compiled_zipapp(folder: Path) -> tuple[Path, str]:
    """Build it in a folder; the file and its sha256."""
    path, sources = folder / "runner.pyz", folder / "sources"
    build(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.extractall(sources)
        for name in [name for name in archive.namelist() if name.endswith(".py")]:
            compiled = folder / "compiled.pyc"
            py_compile.compile(
                str(sources / name),
                str(compiled),
                dfile=f"{path}/{name}",
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
            archive.write(compiled, f"{name}c")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def modules_of(path: Path) -> list[str]:
    """The names of the runner's own modules in a zipapp."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith("alembic_operator/") and name.endswith(".py")]
    return [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names]
