"""How two snapshots differ, in one plain sentence for each object or part of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .snapshot import Part, Snapshot

_LONGEST = 80  # characters of a value that a sentence quotes
_NEVER_QUOTED = frozenset({"body", "query", "comment", "server options", "settings"})


@dataclass(frozen=True)
class Difference:
    """One difference: a sentence without a full stop, and whether it is only that `found` has something more."""

    sentence: str
    extra: bool = False


def differences(wanted: Snapshot, found: Snapshot, where: str = "the database") -> list[str]:
    """What makes `found` another schema than `wanted`; [] where their fingerprints are equal.

    Args:
        wanted: as it should be, such as the history's.
        found: as it is.
        where: how a sentence calls the place of `found`.

    Returns:
        Sentences without a full stop, in the order of the objects' names:
        `table public.orders: column region is missing in the database`.
    """
    return [one.sentence for one in compared(wanted, found, where)]


def compared(wanted: Snapshot, found: Snapshot, where: str = "the database") -> list[Difference]:
    """The same, with what `found` has beyond `wanted` told from what it lacks or has otherwise."""
    told: list[Difference] = []
    for name in sorted(wanted.objects.keys() | found.objects.keys()):
        if name not in found.objects:
            told.append(Difference(f"{name} is missing in {where}"))
        elif name not in wanted.objects:
            told.append(Difference(f"{name} is only in {where}", extra=True))
        elif wanted.objects[name] != found.objects[name]:
            told += _parts(name, wanted.objects[name], found.objects[name], where)
    return told


def _parts(name: str, wanted: Any, found: Any, where: str) -> list[Difference]:
    told = []
    renamed = _renamed(wanted, found)
    for part in sorted(wanted.keys() | found.keys() - set(renamed.values())):
        if part in renamed:
            other = renamed[part].partition(" ")[2]
            told.append(Difference(f"{name}: {part} is named {other} in {where}, and is the same otherwise"))
        elif part not in found:
            told.append(Difference(f"{name}: {part} is missing in {where}"))
        elif part not in wanted:
            told.append(Difference(f"{name}: {part} is only in {where}", extra=True))
        elif wanted[part] != found[part]:
            subject = f"{name}: {part}" if part else name
            told.append(Difference(f"{subject} differs: {_facts(wanted[part], found[part], where)}"))
    return told


def _renamed(wanted: Any, found: Any) -> dict[str, str]:
    """Constraints and indexes that differ by their names alone, which naming conventions make: wanted to found."""
    free = [part for part in sorted(found.keys() - wanted.keys()) if _nameless(part, found[part])]
    pairs = {}
    for part in sorted(wanted.keys() - found.keys()):
        same = [one for one in free if _nameless(part, wanted[part]) == _nameless(one, found[one])]
        if same:
            pairs[part] = same[0]
            free.remove(same[0])
    return pairs


def _nameless(part: str, facts: Part) -> dict[str, Any]:
    """The kind and facts of a constraint or index without its name; {} for any other part."""
    kind, _, name = part.partition(" ")
    if kind not in ("constraint", "index"):
        return {}
    text = str(facts.get("definition", "")).replace(f"INDEX {name} ON", "INDEX ON", 1)
    return {**facts, "definition": text, "kind": kind}


def _facts(wanted: Part, found: Part, where: str, of: str = "") -> str:
    shown = []
    for key in sorted(wanted.keys() | found.keys()):
        before, after = wanted.get(key), found.get(key)
        if before == after:
            continue
        old, new = _only_map(before), _only_map(after)
        if old and new:
            shown.append(_facts(old, new, where, "sequence's "))
        elif key in _NEVER_QUOTED or max(len(_text(before)), len(_text(after))) > _LONGEST:
            shown.append(f"it has {'other' if key.endswith('s') else 'another'} {of}{key} in {where}")
        else:
            shown.append(f"{of}{key} is {_text(after)} in {where}, expected {_text(before)}")
    return "; ".join(shown)


def _only_map(value: Any) -> Part:
    """A column's only sequence."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) else {}


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if value is True:
        return "set"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{key} {_text(value[key])}" for key in sorted(value))
    return str(value)
