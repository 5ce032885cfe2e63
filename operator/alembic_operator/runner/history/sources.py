"""The bytes that run: what is imported from the migrations' directories is compiled from its source, and remembered.

Python would take a compiled file from `__pycache__`, which no digest covers, if time and size of the source fit: images
with fixed times have that for an edited file too. And a mounted directory may change between import and hashing.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

_get_code = SourceFileLoader.get_code


@functools.cache
def real_path(path: str) -> str:
    """The path without symbolic links; kept, since each file of a history is asked for four times in a run."""
    return os.path.realpath(path)


@dataclass
class Sources:
    """What was imported from some directories.

    Attributes:
        hashes: sha256 of the bytes that run, with line ends as LF, by the file's real path.
    """

    hashes: dict[str, str] = field(default_factory=dict)
    _approved: set[str] | None = None
    _tops: tuple[str, ...] = ()

    def cover(self, directories: Sequence[str | os.PathLike[str]]) -> None:
        """What is imported from these directories counts too."""
        self._tops += tuple(real_path(os.fspath(one)) + os.sep for one in directories)

    def covers(self, path: str) -> bool:
        """Whether a file lies in one of the directories."""
        return real_path(path).startswith(self._tops)

    def sha256(self, path: Path) -> str:
        """Of a file as it was imported, or as it is now where it was not."""
        return self.hashes.get(real_path(str(path))) or _sha256(path.read_bytes())

    def approve(self, contents: Collection[bytes]) -> list[str]:
        """Hold what runs to these files, from now on too.

        Returns:
            Names of files that were imported with another content.
        """
        self._approved = {_sha256(content) for content in contents}
        return sorted(Path(path).name for path, found in self.hashes.items() if found not in self._approved)

    def imported(self, path: str, source: bytes) -> None:
        """A file is about to be compiled.

        Raises:
            ImportError: it is not what was approved.
        """
        found = self.hashes[real_path(path)] = _sha256(source)
        if self._approved is not None and found not in self._approved:
            raise ImportError(f"{Path(path).name} changed after the plan's files were compared")


def compiled_from_source(directories: Sequence[str | os.PathLike[str]]) -> Sources:
    """From now on in this process, compile what is imported from these directories, in place of the last ones."""
    sources = Sources()
    sources.cover(directories)

    def get_code(loader: Any, fullname: str) -> CodeType | None:
        path = loader.get_filename(fullname)
        if not sources.covers(path):
            return _get_code(loader, fullname)
        source = loader.get_data(path)
        sources.imported(path, source)
        code: CodeType = loader.source_to_code(source, path)
        return code

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
    return sources


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
