"""How two snapshots differ, in one plain sentence for each object or part of one."""

from __future__ import annotations

from typing import Any

from .snapshot import Part, Snapshot

_LONGEST = 80  # characters of a value that a sentence quotes
_NEVER_QUOTED = frozenset({"body", "query", "comment", "server options", "settings"})


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
    sentences: list[str] = []
    for name in sorted(wanted.objects.keys() | found.objects.keys()):
        if name not in found.objects:
            sentences.append(f"{name} is missing in {where}")
        elif name not in wanted.objects:
            sentences.append(f"{name} is only in {where}")
        elif wanted.objects[name] != found.objects[name]:
            sentences += _parts(name, wanted.objects[name], found.objects[name], where)
    return sentences


def _parts(name: str, wanted: Any, found: Any, where: str) -> list[str]:
    sentences = []
    for part in sorted(wanted.keys() | found.keys()):
        if part not in found:
            sentences.append(f"{name}: {part} is missing in {where}")
        elif part not in wanted:
            sentences.append(f"{name}: {part} is only in {where}")
        elif wanted[part] != found[part]:
            subject = f"{name}: {part}" if part else name
            sentences.append(f"{subject} differs: {_facts(wanted[part], found[part], where)}")
    return sentences


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
            shown.append(f"{of}{key} is {_text(after)} in {where}, and {_text(before)} is wanted")
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
