"""Whether a plan that was read holds what its classes say: code of the project may have written it.

What passes can be hashed, cut, shown and stored without a further look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

DEEPEST = 16  # of `inputs`: nothing that walks through it afterwards runs out of stack


def well_typed(part: Any) -> bool:
    """Whether each field of a dataclass, and of those in it, holds what it says."""
    kind = type(part).__name__
    if kind not in _known:
        _known[kind] = [(each.name, _CHECKS.get(str(each.type), _is_made)) for each in fields(part)]
    return all(check(getattr(part, name)) for name, check in _known[kind])


_known: dict[
    str, list[tuple[str, Callable[[Any], bool]]]
] = {}  # by the class: `fields` for each takes half of the time


def _is_made(value: Any) -> bool:
    """What was made from a class of its own: one, a list of such, or none."""
    if isinstance(value, list):
        return all(well_typed(item) for item in value)
    return not hasattr(value, "__dataclass_fields__") or well_typed(value)


def _is_text(value: Any) -> bool:
    """Text that has an encoding: JSON can also say half of a pair of surrogates."""
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def _is_count(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value)


def _is_plain(value: Any, deepest: int = DEEPEST) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, dict):
        return deepest > 0 and all(_is_text(key) and _is_plain(item, deepest - 1) for key, item in value.items())
    if isinstance(value, list):
        return deepest > 0 and all(_is_plain(item, deepest - 1) for item in value)
    return True


# By the annotation's text; what is not named here has been made from its own class by then.
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "str": _is_text,
    "int": _is_count,
    "bool": lambda value: isinstance(value, bool),
    "float": lambda value: type(value) in (int, float),
    "list[str]": _is_texts,
    "list[list[str]]": lambda value: isinstance(value, list) and all(_is_texts(item) for item in value),
    "dict[str, str]": lambda value: isinstance(value, dict) and all(map(_is_text, (*value, *value.values()))),
    "dict[str, Any]": lambda value: isinstance(value, dict) and _is_plain(value),
}
