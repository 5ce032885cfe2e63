"""Connections that a revision opens by itself, led into the shadow: where they wanted to go, nothing may be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from ..database.driver_private import through_inner_door
from ..database.other_connections import own_connection, replaced_doors

# Arguments of Python's, not of libpq's.
_KEPT = frozenset(
    {"autocommit", "row_factory", "cursor_factory", "connection_factory", "prepare_threshold", "context", "async_"}
)


@contextmanager
def redirected_to(parameters: dict[str, Any], opened: Callable[[], None]) -> Iterator[None]:
    """While this lasts, each new connection by either driver is one with these parameters.

    Args:
        parameters: of libpq.
        opened: called before each.
    """

    def leading(original: Any, module: Any, name: str) -> Any:
        inner = through_inner_door(original, module, name, parameters)

        def connect(*arguments: Any, **options: Any) -> Any:
            opened()
            with own_connection():
                if inner is not None:
                    return inner(*arguments, **options)
                of_class = arguments[:1] if arguments and isinstance(arguments[0], type) else ()
                kept = {option: value for option, value in options.items() if option in _KEPT}
                return original(*of_class, **{**parameters, **kept})

        return connect

    with replaced_doors(leading):
        yield
