"""The plan document on its way: packed by zlib and base64 into records of the run's log, and pinned by its result."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import job_env
from .plan import PlanDocument
from .records import record_in
from .request import ProtocolError

EVENT = "plan"  # of the records: {"event": "plan", "part": 1, "of": 3, "data": "<base64>"}
PART = 12_000  # characters of base64 a record
LARGEST = 64 * 1024 * 1024  # bytes of JSON that are unpacked at most


@dataclass(frozen=True)
class Packed:
    """A document on its way: the parts of its records, and what the result says of it."""

    parts: list[str]
    sha256: str
    size: int


def pack(document: PlanDocument) -> Packed:
    """The document as it goes into the log."""
    packed = zlib.compress(document.to_json().encode("utf-8"), 6)
    text = base64.b64encode(packed).decode("ascii")
    parts = [text[at : at + PART] for at in range(0, len(text), PART)]
    return Packed(parts, hashlib.sha256(packed).hexdigest(), len(packed))


def unpack(parts: list[str], sha256: str, largest: int = LARGEST) -> PlanDocument:
    """The document from the parts of its records.

    Raises:
        ProtocolError: not what the result pins, too large, or no document.
    """
    return PlanDocument.from_json(unpacked(parts, sha256, largest))


def unpacked(parts: list[str], sha256: str, largest: int = LARGEST) -> str:
    """The text of the document, which nobody has read yet.

    Raises:
        ProtocolError: not what the result pins, or too large.
    """
    try:
        packed = base64.b64decode("".join(parts), validate=True)
    except ValueError:
        packed = b""
    if hashlib.sha256(packed).hexdigest() != sha256:
        raise ProtocolError(
            "the plan in the log is not the one that the result names: the project's code prints lines that begin "
            f"with {job_env.RECORD_PREFIX.strip()} after the runner's own; change what it prints"
        )
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(packed, largest)
    except zlib.error:
        raise ProtocolError("the plan's records cannot be unpacked") from None
    if inflate.unconsumed_tail or not inflate.eof:
        raise ProtocolError(f"the plan is larger than {largest >> 20} MiB, or cut off")
    return text.decode("utf-8", "replace")


def parts_in(lines: Iterable[str], count: int) -> list[str]:
    """The parts of a plan from the lines of a log, in which code of the project may write anything.

    Of two records with one number the last counts: the runner writes its own at the end of the run.

    Raises:
        ProtocolError: some are missing.
    """
    parts: dict[int, str] = {}
    for line in lines:
        if f'"{EVENT}"' in line:
            parts.update(_part(record_in(line)))
    missing = count - sum(1 <= number <= count for number in parts)  # `count` is what user code may have written
    if missing:
        raise ProtocolError(
            f"{missing} of {count} records are missing: only part of a long log is kept and read; have the project's "
            "code print less"
        )
    return [parts[number] for number in range(1, count + 1)]


def _part(record: dict[str, Any]) -> dict[int, str]:
    """Number and data of a record; nothing where it is another one, or none."""
    if record.get("event") != EVENT:
        return {}
    part, data = record.get("part"), record.get("data")
    return {part: data} if isinstance(part, int) and isinstance(data, str) else {}
