"""Dataclasses out of the API's objects, and back: one reader and one writer, steered by the types of the fields.

A field `run_as_user` is `runAsUser` in the object. A field without a default must be there. Any other may be absent,
null or, where it is text, empty: then it has its default. Fields that the dataclass does not have are ignored. An
Annotated type names the function that reads its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

Raw = Mapping[str, Any]
Reader = Callable[[Any, str], Any]  # of a value and its path. Raises Unreadable
T = TypeVar("T")

REQUIRED = "is required"
OMIT_ZERO = {"omit_zero": True}  # the metadata of a number that is not written where it is 0

_RAW_NAMES = {"from_revisions": "from", "to_revisions": "to"}


class Unreadable(ValueError):
    """A value that cannot be read.

    Attributes:
        path: the field, as `spec.migrations.image`.
        rule: what is wrong and what to write instead.
    """

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}")
        self.path = path
        self.rule = rule


def decode(cls: type[T], raw: Any, path: str, *, lenient: bool = False) -> T:
    """The dataclass out of the object at `path`.

    Args:
        cls: a dataclass.
        raw: the object.
        path: of the object, for errors.
        lenient: what cannot be read is left out: an item of a list, or a field that has a default.

    Raises:
        Unreadable: a required field is absent, or a value is of another type; the error names the field.
    """
    kind: Any = cls
    found: T = _reader(kind, lenient)(raw, path)
    return found


def encode(value: Any) -> Any:
    """A dataclass as the object; fields with a default that say nothing (None, "", empty) are left out."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    kind: Any = type(value)
    known = _written(kind)
    if not known:
        return value
    return {key: encode(said) for name, key, unsaid in known if (said := getattr(value, name)) not in unsaid}


@cache
def _written(cls: Any) -> list[tuple[str, str, tuple[Any, ...]]]:
    """Of each field its name, its name in the object, and the values that are not written; empty for a plain value."""
    nothing: tuple[Any, ...] = (None, "", (), {})
    return [
        (f.name, raw_name(f.name), () if _is_required(f) else (*nothing, 0) if "omit_zero" in f.metadata else nothing)
        for f in (fields(cls) if is_dataclass(cls) else ())
    ]


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


@cache
def raw_name(name: str) -> str:
    """What a field is called in the object."""
    head, *rest = name.split("_")
    return _RAW_NAMES.get(name, head + "".join(part.capitalize() for part in rest))


@cache
def _reader(kind: Any, lenient: bool) -> Reader:
    """The function that reads values of a type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        reader: Reader = arguments[1]
        return reader
    if origin in (Union, UnionType):  # with None, which never gets here
        return _reader(arguments[0], lenient)
    if origin is tuple:
        return _items(_reader(arguments[0], lenient), lenient)
    return _record(kind, lenient) if is_dataclass(kind) else _plain(*_PLAIN[origin or kind])


def _record(cls: Any, lenient: bool) -> Reader:
    hints = get_type_hints(cls, include_extras=True)
    known = [
        (f.name, raw_name(f.name), _reader(hints[f.name], lenient), _is_required(f), isinstance(f.default, str))
        for f in fields(cls)
    ]

    def read(raw: Any, path: str) -> Any:
        if not isinstance(raw, Mapping):
            raise Unreadable(path, "must be an object")
        values = {}
        for name, key, reader, required, is_text in known:
            value = raw.get(key)
            if value is None and required:
                raise Unreadable(f"{path}.{key}", REQUIRED)
            if value is None or (value == "" and is_text):
                continue
            try:
                values[name] = reader(value, f"{path}.{key}")
            except Unreadable:
                if required or not lenient:
                    raise
        return cls(**values)

    return read


def _items(reader: Reader, lenient: bool) -> Reader:
    def read(raw: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise Unreadable(path, "must be a list")
        found = []
        for at, item in enumerate(raw):
            try:
                found.append(reader(item, f"{path}[{at}]"))
            except Unreadable:
                if not lenient:
                    raise
        return tuple(found)

    return read


def _plain(kind: type[Any], words: str) -> Reader:
    def read(raw: Any, path: str) -> Any:
        if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
            raise Unreadable(path, f"must be {words}")
        return raw

    return read


_PLAIN: dict[Any, tuple[type[Any], str]] = {
    str: (str, "a string"),
    int: (int, "an integer"),
    bool: (bool, "true or false"),
    Mapping: (Mapping, "an object"),
}
