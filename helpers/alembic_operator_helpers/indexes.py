"""Indexes built and dropped CONCURRENTLY, so that writers go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import TextClause

from .blocks import HelperError, block, connected, helper, literal, one, report, run, settings, value
from .tables import KINDS, Table, find_table, identifier, quote

CREATE = "create_index_concurrently"
DROP = "drop_index_concurrently"

# Both wait for every older snapshot in the database, under a lock that no reader or writer waits for: a timeout would
# stop them for no gain and leave an INVALID index.
PATIENT = {"lock_timeout": "0", "statement_timeout": "0"}


@dataclass(frozen=True)
class Existing:
    """What has an index's name now."""

    oid: int
    kind: str
    table_oid: int
    table: str
    valid: bool
    definition: str
    constraint: str


@dataclass(frozen=True)
class Wanted:
    """The index asked for."""

    name: str
    table: Table
    columns: list[str | TextClause]
    options: dict[str, Any]

    def create(self) -> None:
        """Build it concurrently."""
        schema = self.table.schema
        op.create_index(
            self.name, self.table.name, self.columns, schema=schema, postgresql_concurrently=True, **self.options
        )

    def definition(self, connection: Connection) -> str:
        """What PostgreSQL calls such an index: it is made on an empty copy of the table, and rolled back.

        Only PostgreSQL knows that `lower(email)` and `lower((email)::text)` are one. The copy has the table's name, as
        an expression may be qualified with it.
        """
        name, table = self.name, self.table
        copy = connection.begin_nested()
        try:
            run(connection, f"CREATE TEMPORARY TABLE {quote(table.name)} (LIKE {table.sql}) ON COMMIT DROP")
            op.create_index(name, table.name, self.columns, schema="pg_temp", **self.options)
            path = literal(f"pg_temp.{quote(name)}")
            return str(value(connection, f"SELECT pg_get_indexdef({path}::regclass)"))
        finally:
            copy.rollback()


def create_index_concurrently(
    name: str,
    table: str,
    columns: Sequence[str | TextClause],
    *,
    unique: bool = False,
    where: str | None = None,
    using: str | None = None,
    include: Sequence[str] = (),
    schema: str | None = None,
) -> None:
    """Build an index while writers go on; running it again does the right thing.

    A valid index of that name and definition is left as it is. An INVALID one, which a failed build leaves behind, is
    dropped and built anew.

    Args:
        name: the index.
        table: its table, without a schema.
        columns: names of columns; an expression as `sqlalchemy.text("lower(email)")`.
        unique: whether it is.
        where: the condition of a partial index, in SQL.
        using: the access method; PostgreSQL's default is btree.
        include: columns that the index carries without searching by them.
        schema: the table's; without it the search path finds the table.

    Raises:
        HelperError: bad arguments; a partitioned table; or the name belongs to something else.
        sqlalchemy.exc.DBAPIError: PostgreSQL's own errors, as duplicate keys under `unique`.
    """
    arguments = {"columns": columns, "unique": unique, "where": where, "using": using, "include": include}
    with helper(CREATE, name=name, table=table, schema=schema, **arguments) as context:
        connection = connected(context)
        identifier(CREATE, "the index's name", name)
        found = find_table(connection, CREATE, table, schema)
        _check_columns(found, columns, include)
        if found.kind == "p":
            raise HelperError(
                f"{CREATE}: {found.text} is partitioned, where PostgreSQL builds no index concurrently. Build one on"
                f" each partition, create {name} ON ONLY {found.text}, and attach them."
            )
        options: dict[str, Any] = {"unique": unique, "postgresql_include": list(include) or None}
        if where is not None:
            options["postgresql_where"] = sa.text(where.replace(":", "\\:"))
        if using is not None:
            options["postgresql_using"] = using

        wanted = Wanted(name, found, list(columns), options)
        existing = _find_index(connection, found.schema, name)
        if existing is not None:
            _check_same(connection, existing, wanted)
            if existing.valid:
                report(helper=CREATE, table=found.text, index=name, step="already there")
                return
        with block(context) as autocommit, settings(autocommit, **PATIENT):
            if existing is not None:
                report(helper=CREATE, table=found.text, index=name, step="drop the invalid leftover")
                run(autocommit, f"DROP INDEX CONCURRENTLY IF EXISTS {quote(found.schema)}.{quote(name)}")
            report(helper=CREATE, table=found.text, index=name, step="create")
            wanted.create()


def drop_index_concurrently(name: str, *, schema: str | None = None) -> None:
    """Drop an index while readers and writers go on; an index that is not there is no error.

    Raises:
        HelperError: the name belongs to something else, or the index to a constraint or a partitioned table.
    """
    with helper(DROP, name=name, schema=schema) as context:
        connection = connected(context)
        identifier(DROP, "the index's name", name)
        existing = _find_index(connection, schema, name)
        if existing is None:
            report(helper=DROP, index=name, step="already gone")
            return
        if existing.kind != "i":
            raise HelperError(
                f"{DROP}: {name} is a {KINDS.get(existing.kind, existing.kind)}, which cannot be dropped in this way"
            )
        if existing.constraint:
            raise HelperError(
                f"{DROP}: {name} serves the constraint {existing.constraint} of {existing.table}; drop that instead, by"
                f" op.drop_constraint({existing.constraint!r}, …)"
            )
        path = value(connection, f"SELECT oid::regclass::text FROM pg_class WHERE oid = {existing.oid}")
        with block(context) as autocommit, settings(autocommit, **PATIENT):
            report(helper=DROP, table=existing.table, index=name, step="drop")
            run(autocommit, f"DROP INDEX CONCURRENTLY IF EXISTS {path}")


def _check_columns(table: Table, columns: Sequence[str | TextClause], include: Sequence[str]) -> None:
    if isinstance(columns, (str, TextClause)) or not columns:
        raise HelperError(f"{CREATE}: columns must be a list of at least one, got {columns!r}")
    for column in [*columns, *include]:
        if isinstance(column, TextClause):
            continue
        if not isinstance(column, str):
            raise HelperError(f"{CREATE}: a column is a name or sqlalchemy.text(…), got {type(column).__name__}")
        if column not in table.columns and not column.isidentifier():
            raise HelperError(
                f"{CREATE}: {table.text} has no column {column!r}; write an expression as sqlalchemy.text({column!r})"
            )
        table.column(column, CREATE)


def _find_index(connection: Connection, schema: str | None, name: str) -> Existing | None:
    path = quote(name) if schema is None else f"{quote(schema)}.{quote(name)}"
    row = one(
        connection,
        "SELECT c.oid::bigint, c.relkind::text, coalesce(i.indrelid::bigint, 0),"
        " coalesce(i.indrelid::regclass::text, ''), coalesce(i.indisvalid AND i.indisready, false),"
        " CASE WHEN i.indexrelid IS NULL THEN '' ELSE pg_get_indexdef(c.oid) END, coalesce(k.conname::text, '')"
        " FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid"
        " LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')"
        f" WHERE c.oid = to_regclass({literal(path)})",
    )
    return None if row is None else Existing(*row)


def _check_same(connection: Connection, existing: Existing, wanted: Wanted) -> None:
    name, table = wanted.name, wanted.table
    if existing.kind != "i":
        kind = KINDS.get(existing.kind, existing.kind)
        raise HelperError(f"{CREATE}: {table.schema}.{name} is a {kind}; give the index another name")
    if existing.table_oid != table.oid:
        raise HelperError(
            f"{CREATE}: {name} is an index of {existing.table}, not of {table.text}; give the new one another name"
        )
    definition = wanted.definition(connection)
    if _meaning(definition) != _meaning(existing.definition):
        state = "" if existing.valid else ", INVALID,"
        raise HelperError(
            f"{CREATE}: {name}{state} exists with another definition. There is: {_meaning(existing.definition)}."
            f" Asked for: {_meaning(definition)}. Drop it by {DROP}({name!r}) in a revision before, or give the new one"
            " another name."
        )
    builder = one(connection, f"SELECT pid FROM pg_stat_progress_create_index WHERE index_relid = {existing.oid}")
    if builder is not None:
        raise HelperError(
            f"{CREATE}: {name} is being built by another session (pid {builder[0]}); let it end, or end it with"
            f" pg_terminate_backend({builder[0]}), and run again"
        )


def _meaning(definition: str) -> str:
    """An index's definition without its name and table."""
    unique = "UNIQUE " if definition.startswith("CREATE UNIQUE ") else ""
    return unique + definition.partition(" USING ")[2]
