"""What lies below the migrations' folders and nobody reads: revisions that Alembic passes over, and compiled code.

Alembic passes over what it is not configured to read without a word, and `head` is then whatever is left. Such files
are parsed, never imported. Compiled code runs where its source is missing, and neither a digest nor a review has it.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .graph import Graph
from .sources import real_path

_COMPILED = (".pyc", ".pyo")
MAKE_READ = (
    "Name their folders in version_locations, or set recursive_version_locations; move other files out of the "
    "migrations' folder."
)


@dataclass(frozen=True)
class Unread:
    """A file that declares a revision, and is not read.

    Attributes:
        path: relative to the folder that was searched.
        revision: its id; "" where that is not a plain string.
        parents: the ids it follows or depends on, as far as they are plain strings.
    """

    path: str
    revision: str
    parents: tuple[str, ...]


def find_unread(folders: Iterable[str | os.PathLike[str]], read: Collection[str]) -> list[Unread]:
    """What declares `revision` and `down_revision` below these folders, beside the files that are read.

    Args:
        folders: the script location and the version locations.
        read: real paths of the files that Alembic reads.
    """
    found: dict[str, Unread] = {}
    for folder in folders:
        for path in _files(Path(folder), ".py"):
            real = real_path(path)
            if real not in read and real not in found and (declared := _declared(path)):
                found[real] = Unread(path.relative_to(folder).as_posix(), *declared)
    return sorted(found.values(), key=lambda file: file.path)


def find_compiled(folders: Iterable[str | os.PathLike[str]], read: Iterable[str]) -> list[str]:
    """Names of compiled files without their source.

    Args:
        folders: the script location and the version locations.
        read: paths of the files that Alembic reads; with `sourceless`, some may be in `__pycache__`.
    """
    there = {path for folder in folders for path in _files(Path(folder), *_COMPILED)}
    alone = {path.name for path in there if not path.with_suffix(".py").exists()}
    return sorted(alone | {Path(path).name for path in read if path.endswith(_COMPILED)})


def missing_from(graph: Graph, unread: list[Unread]) -> list[Unread]:
    """The files without which this history is not whole: they follow a revision of it, directly or not.

    A history of which nothing is read lacks all of them. A copy of a revision that is read is not missing.
    """
    if not graph.files:
        return unread
    reached, missing = set(graph.files), []
    waiting = [file for file in unread if file.revision not in graph.files]
    while more := [file for file in waiting if not reached.isdisjoint(file.parents)]:
        missing += more
        reached |= {file.revision for file in more}
        waiting = [file for file in waiting if file not in more]
    return missing


def listed(files: list[Unread]) -> str:
    """The files by name; a few of many."""
    names = ", ".join(file.path for file in files[:3])
    return f"{names} and {len(files) - 3} more" if len(files) > 3 else names


def _files(top: Path, *suffixes: str) -> Iterator[Path]:
    """Those that could be imported; not those of another Alembic environment, or of a virtual environment."""
    for folder, folders, names in os.walk(top):
        if Path(folder) != top and not {"env.py", "pyvenv.cfg"}.isdisjoint(names):
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one != "__pycache__")
        for name in sorted(names):
            if name.endswith(suffixes) and not name.startswith(".") and name != "__init__.py":
                yield Path(folder, name)


def _declared(path: Path) -> tuple[str, tuple[str, ...]] | None:
    """Id and parents of a revision file; None for any other file, and for one that Python could not import."""
    values: dict[str, ast.expr | None] = {}
    with suppress(OSError, SyntaxError, ValueError, RecursionError):
        source = path.read_bytes()
        for line in ast.parse(source).body if b"down_revision" in source else []:
            targets = line.targets if isinstance(line, ast.Assign) else []
            targets = [line.target] if isinstance(line, ast.AnnAssign) else targets
            values.update({one.id: line.value for one in targets if isinstance(one, ast.Name)})  # type: ignore[attr-defined]
    if "revision" not in values or "down_revision" not in values:
        return None
    return "".join(_strings(values["revision"])[:1]), _strings(values["down_revision"]) + _strings(
        values.get("depends_on")
    )


def _strings(value: ast.expr | None) -> tuple[str, ...]:
    items = value.elts if isinstance(value, (ast.Tuple, ast.List, ast.Set)) else [value]
    return tuple(one.value for one in items if isinstance(one, ast.Constant) and isinstance(one.value, str))
