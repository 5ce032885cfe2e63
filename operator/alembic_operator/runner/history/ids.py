"""Revision ids in messages: as YAML needs them, and the one that was most likely meant. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from contextlib import suppress

from .graph import Graph

_PLAIN = re.compile(r"\w[\w.]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quoted(revision: str) -> str:
    """An id as it is written in YAML: in quotes where it is no string without them."""
    plain = _PLAIN.fullmatch(revision) and revision.lower() not in _WORDS and not _readings(revision)
    return revision if plain else json.dumps(revision, ensure_ascii=False)


def flow(revisions: Sequence[str], limit: int | None = None) -> str:
    """A list of ids as it is written in YAML; of more than `limit` the first ones."""
    more = ", …" if limit is not None and len(revisions) > limit else ""
    return f"[{', '.join(map(quoted, revisions[:limit]))}{more}]"


def hint(revision: str, graph: Graph) -> str:
    """What was most likely meant by an id that no file declares."""
    labelled = [one for one, file in graph.files.items() if revision in file.labels]
    if labelled:
        ends = [head for head in graph.heads if labelled[0] in graph.ancestors([head])]
        return f" It is a branch label, and labels are not accepted: its head is {', '.join(ends[:3])}."
    close = [one for one in graph.files if one.startswith(revision)]
    if len(close) == 1:
        return f" Did you mean {quoted(close[0])}? Prefixes are not accepted."
    if numbers := [one for one in graph.files if _same_number(one, revision)]:
        return f' Did you mean "{numbers[0]}"? YAML read it as a number: put it in quotes.'
    nearest = difflib.get_close_matches(revision, graph.files, n=1)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""


def _same_number(declared: str, wanted: str) -> bool:
    """Whether YAML makes the one of the other: 17 of 0021."""
    try:
        return declared != wanted and float(wanted) in _readings(declared)
    except ValueError:
        return False


def _readings(text: str) -> set[float]:
    """The numbers that YAML, which has octal numbers and powers of ten, makes of a text; none of most."""
    readings = set()
    for read in (float, lambda digits: float(int(digits, 8)), lambda digits: float(int(digits, 0))):
        with suppress(ValueError, OverflowError):
            readings.add(read(text))
    return readings
