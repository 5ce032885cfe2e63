"""The bundle: the files that a history is made of, and their digest, the same in every checkout and stage.

File modes, times, line ends and where the files lie do not count; neither does sqlalchemy.url, which belongs to a
stage. docs/digests.md says how another implementation gets the same.
"""

from __future__ import annotations

import configparser
import hashlib
import importlib
import os
import stat
import sys
from pathlib import Path
from typing import Any

from .canonical_json import canonical, digest

VERSION = 1
INI = "[alembic]"  # the key of the ini file's section, which no file's path can be: it is no file
_SECTION = "alembic"
_OF_A_STAGE = ("sqlalchemy.url",)
_VOLUME_DATA = "..data"  # in a volume of a ConfigMap each file is a link of Kubernetes' own into this directory


class BundleError(ValueError):
    """A file that cannot be part of a bundle. `path` is the file's; the message says what is wrong with it."""

    def __init__(self, path: Path, found: str) -> None:
        self.path = path
        super().__init__(f"{path}: {found}")


def bundle_files(
    script_location: Path, version_locations: list[Path], root: Path, ini: Path | None
) -> dict[str, bytes]:
    """The files of a bundle by their path, with line ends as LF.

    Args:
        script_location: Alembic's, with env.py, templates and whatever the revisions import from there.
        version_locations: where the revision files and their waivers are; may lie inside of script_location.
        root: of the project. A path is relative to it, or, for a location outside of it, to that location, with
            `script_location:` or `version_locations[1]:` before it.
        ini: alembic.ini, of which the section [alembic] counts without sqlalchemy.url; None without one.

    Raises:
        BundleError: a symbolic link, a socket or the like, or what cannot be read.
    """
    files: dict[str, bytes] = {}
    named = [("script_location", script_location)]
    named += [(f"version_locations[{at}]", location) for at, location in enumerate(version_locations)]
    for name, location in named:
        top, prefix = _place(location, root, name)
        for path in _walk(top):
            relative = path.relative_to(top).as_posix()
            files.setdefault(prefix + relative, _read(path))
    if ini is not None:
        files[INI] = _section(ini)
    return files


def bundle_digest(script_location: Path, version_locations: list[Path], root: Path, ini: Path | None) -> str:
    """`sha256:…` over the files alone: CI can promise it.

    Raises:
        BundleError: as bundle_files.
    """
    return digest_of(bundle_files(script_location, version_locations, root, ini))


def digest_of(files: dict[str, bytes]) -> str:
    """`sha256:…` of a bundle that was read."""
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return digest({"version": VERSION, "files": hashes})


def _place(location: Path, root: Path, name: str) -> tuple[Path, str]:
    """The directory to walk, and what stands before the paths of its files."""
    lexical, base = Path(os.path.abspath(location)), Path(os.path.abspath(root))  # noqa: PTH100 - links stay links
    if (lexical / _VOLUME_DATA).is_symlink():
        return (lexical / _VOLUME_DATA).resolve(), _prefix(lexical, base, name)
    inside = lexical.parts[len(base.parts) :] if lexical.is_relative_to(base) else ()
    for count in range(1, len(inside) + 1):
        part = base.joinpath(*inside[:count])
        if part.is_symlink():
            raise BundleError(part, "a symbolic link. Replace it with the directory itself")
    return lexical, _prefix(lexical, base, name)


def _prefix(location: Path, root: Path, name: str) -> str:
    if not location.is_relative_to(root):
        return f"{name}:"
    inside = location.relative_to(root).as_posix()
    return "" if inside == "." else f"{inside}/"


def _walk(top: Path) -> list[Path]:
    """The regular files below a directory, without dot-files, `__pycache__` and compiled files."""
    found: list[Path] = []
    waiting = [top]
    while waiting:
        try:
            entries = sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name)
        except OSError as error:
            raise BundleError(Path(error.filename or top), f"cannot be read: {error.strerror}") from None
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__" or entry.name.endswith((".pyc", ".pyo")):
                continue
            path = Path(entry.path)
            if entry.is_symlink():
                raise BundleError(path, "a symbolic link. Replace it with the file itself")
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                found.append(path)
            else:
                raise BundleError(path, "neither a file nor a directory. Remove it")
    return found


def _read(path: Path) -> bytes:
    """A file's bytes with line ends as LF, but for one with a NUL byte: that is no text."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BundleError(path, "no longer a file. Plan again when nothing changes the directory")
            content = file.read()
    except OSError as error:
        raise BundleError(path, f"cannot be read: {error.strerror}") from None
    return content if b"\0" in content else content.replace(b"\r\n", b"\n")


def _section(ini: Path) -> bytes:
    """The section's options as canonical JSON, not interpolated: `%(here)s` would be another one in each checkout."""
    try:
        text = ini.read_text("utf-8")
        found = _toml(text) if ini.suffix == ".toml" else _ini(text)
    except OSError as error:
        raise BundleError(ini, f"cannot be read: {error.strerror}") from None
    except (configparser.Error, ImportError, ValueError) as error:
        raise BundleError(ini, f"cannot be parsed: {type(error).__name__}") from None  # its text quotes a line
    return canonical({key: value for key, value in found.items() if key not in _OF_A_STAGE}).encode("ascii")


def _ini(text: str) -> dict[str, Any]:
    parser = configparser.RawConfigParser(default_section="\0")
    parser.read_string(text)
    return dict(parser.items(_SECTION)) if parser.has_section(_SECTION) else {}


def _toml(text: str) -> dict[str, Any]:
    """`[tool.alembic]` of pyproject.toml. Before Python 3.11 Alembic brings tomli with it."""
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    found: dict[str, Any] = toml.loads(text).get("tool", {}).get(_SECTION, {})
    return found
