"""A root file system with a CPython of this machine, in place of `python:3.x-slim` where no image can be fetched."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import NotPossible, checked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROBE = """
import json, os, sys, sysconfig
print(json.dumps({
    "executable": os.path.realpath(sys._base_executable),
    "prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"),
    "version": "%d.%d" % sys.version_info[:2],
    "full": sys.version,
}))
"""
_LEFT_OUT = ("__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages")
_LEFT_OUT_NAMES = ("dist-packages", "config-*", "*.a", "_tkinter.*", "EXTERNALLY-MANAGED")
_BUSYBOX = Path("/usr/bin/busybox")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_DEBIAN_WHEELS = Path("/usr/share/python-wheels")
_ZONES = Path("/usr/share/zoneinfo")
# What wheels built for any Linux expect beside the libraries that the interpreter itself needs.
_COMPANIONS = (
    *("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"),
    *("libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2"),
)

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Interpreter:
    """A CPython on this machine, whatever environment it was named by."""

    executable: Path
    prefix: str
    stdlib: Path
    version: str
    full: str

    @classmethod
    def of(cls, executable: str | Path = sys.executable) -> Interpreter:
        """The interpreter behind an executable or a virtual environment."""
        found = json.loads(checked([executable, "-I", "-c", _PROBE]))
        return cls(
            Path(found["executable"]), found["prefix"], Path(found["stdlib"]), found["version"], str(found["full"])
        )

    @property
    def home(self) -> str:
        """Its prefix in the image: Debian's Python is at home in /usr only, any other can be moved."""
        return "/usr" if self.prefix == "/usr" else "/usr/local"

    @property
    def packages(self) -> str:
        """Where pip installs to in the image."""
        folder = "dist-packages" if self.home == "/usr" else "site-packages"
        return f"/usr/local/lib/python{self.version}/{folder}"

    def key(self) -> str:
        """Changes when the image would."""
        status = [self.executable.stat(), _BUSYBOX.stat(), _CERTIFICATES.stat()]
        parts = [Path(__file__).read_text(), self, *((one.st_size, one.st_mtime_ns) for one in status)]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def make(root: Path, python: Interpreter) -> None:
    """Fill the folder `root`: interpreter, standard library, pip, busybox, certificates, time zones."""
    skeleton(root)
    _interpreter(root, python)
    _copy_libraries(root, python)
    _pip(root, python)
    # Unchecked hashes save a second of CPU at every container's start: no file is compared, none recompiled.
    command: list[str | Path] = [
        python.executable,
        "-I",
        "-m",
        "compileall",
        "-q",
        "-j",
        "2",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    checked([*command, "-s", root, "-p", "/", root / f"{python.home}/lib".strip("/")], timeout=300)


def skeleton(root: Path) -> None:
    """Fill the folder `root` with what any image has: folders, busybox, users, certificates, time zones."""
    _folders(root)
    for applet in checked([_BUSYBOX, "--list"]).split():
        (root / "usr/bin" / applet).symlink_to("busybox")
    (root / "usr/bin/busybox").unlink()
    shutil.copy(_BUSYBOX, root / "usr/bin/busybox")


def _folders(root: Path) -> None:
    for folder in ("etc/ssl/certs", "usr/bin", "usr/sbin", "usr/local/bin", "usr/lib", "usr/lib64", "root", "var/tmp"):
        (root / folder).mkdir(parents=True)
    for folder in ("proc", "sys", "dev", "run", "opt", "home", "tmp"):
        (root / folder).mkdir()
    for folder in ("tmp", "var/tmp"):
        (root / folder).chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
    )
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    shutil.copy(_CERTIFICATES, root / "etc/ssl/certs/ca-certificates.crt")
    if _ZONES.is_dir():
        shutil.copytree(_ZONES, root / "usr/share/zoneinfo", symlinks=True)


def _interpreter(root: Path, python: Interpreter) -> None:
    home = root / python.home.strip("/")
    binary = home / "bin" / f"python{python.version}"
    shutil.copy(python.executable, binary)
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to(f"{python.home}/bin/{binary.name}")
    # Links into the machine, as Debian has some, would lead nowhere in the image; those become files.
    shutil.copytree(
        python.stdlib,
        home / "lib" / f"python{python.version}",
        ignore=shutil.ignore_patterns(*_LEFT_OUT, *_LEFT_OUT_NAMES),
        ignore_dangling_symlinks=True,
    )


def _copy_libraries(root: Path, python: Interpreter) -> None:
    """Copy what the interpreter, its modules and common wheels load, the loader too, to where the loader looks."""
    modules = [path for path in (python.stdlib / "lib-dynload").glob("*.so") if "_tkinter" not in path.name]
    found = libraries([python.executable, *modules])
    for line in checked(["ldconfig", "-p"]).splitlines():
        name = line.split()[0] if line.split() else ""
        if name in _COMPANIONS:
            found.setdefault(name, Path(line.rpartition("=> ")[2]))
    if "libc.so.6" not in found:
        raise NotPossible(f"{python.executable} uses no GNU C library: use a CPython built for this Debian")
    install_libraries(root, found)


def libraries(files: Sequence[Path]) -> dict[str, Path]:
    """The shared libraries that the loader finds for programs and modules, itself too, by name."""
    lines = checked(["ldd", *files]).splitlines()
    return {Path(match[1]).name: Path(match[1]) for line in lines if (match := re.search(r"(/\S+) \(0x", line))}


def install_libraries(root: Path, found: Mapping[str, Path]) -> None:
    """Copy libraries, the C library among them, to where the loader looks in an image."""
    folder = root / found["libc.so.6"].resolve().parent.relative_to("/")
    folder.mkdir(parents=True, exist_ok=True)
    for name, library in found.items():
        shutil.copy(library, folder / name)
        if name.startswith("ld-linux"):
            place = root / "usr" / library.parent.name / name
            if place.parent != folder:
                place.parent.mkdir(exist_ok=True)
                place.symlink_to(f"/{(folder / name).relative_to(root)}")


def _pip(root: Path, python: Interpreter) -> None:
    bundled = [*(python.stdlib / "ensurepip" / "_bundled").glob("pip-*.whl"), *_DEBIAN_WHEELS.glob("pip-*.whl")]
    if not bundled:
        raise NotPossible(f"{python.executable} has no ensurepip: apt-get install python3-venv")
    packages = root / python.packages.strip("/")
    packages.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(bundled[0]) as wheel:
        wheel.extractall(packages)
    if not list((python.stdlib / "ensurepip" / "_bundled").glob("pip-*.whl")):
        shutil.copytree(_DEBIAN_WHEELS, root / str(_DEBIAN_WHEELS).strip("/"))
    for name in ("pip", "pip3"):
        script = root / "usr/local/bin" / name
        script.write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
        script.chmod(0o755)
