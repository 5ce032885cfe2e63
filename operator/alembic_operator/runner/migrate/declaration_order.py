"""SQLAlchemy's sets of indexes, constraints and keys, in the order in which a revision declares them.

Alembic and SQLAlchemy go through these sets when they send DDL, and what is in them is hashed by its address: another
order in each process. An approved plan could never be applied. The order of declaration is one of those that plain
Alembic may take.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Constraint, ForeignKey, Index, Table, event
from sqlalchemy.sql import ddl
from sqlalchemy.util import OrderedSet

# What is attached, and the sets of its table or column that it may be the first member of.
_SETS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Index, ("indexes",)),
    (Constraint, ("constraints", "foreign_keys")),
    (ForeignKey, ("foreign_keys",)),
)
_MARK = "alembic_operator_ordered"


def keep_declaration_order() -> None:
    """From now on, in this process; to be called before a revision or the application's models are imported."""
    if getattr(ddl.sort_tables_and_constraints, _MARK, False):
        return
    for kind, names in _SETS:
        event.listen(kind, "after_parent_attach", _ordering(names))
    _order_deferred_keys()


def _ordering(names: tuple[str, ...]) -> Any:
    def attached(_item: Any, parent: Any) -> None:
        for name in names:
            found = vars(parent).get(name)
            if type(found) is set:
                setattr(parent, name, OrderedSet(found))

    return attached


def _order_deferred_keys() -> None:
    """Order the keys that create_all() and drop_all() send for themselves, of tables that refer to each other."""
    original: Any = ddl.sort_tables_and_constraints

    def sort_tables_and_constraints(*arguments: Any, **options: Any) -> list[tuple[Table | None, Collection[Any]]]:
        found = original(*arguments, **options)
        return [
            (table, keys) if table is not None else (None, sorted(keys, key=lambda key: key._creation_order))
            for table, keys in found
        ]

    setattr(sort_tables_and_constraints, _MARK, True)
    ddl.sort_tables_and_constraints = sort_tables_and_constraints
