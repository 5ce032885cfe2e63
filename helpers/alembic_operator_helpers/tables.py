"""Tables and columns as the catalogue has them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from .blocks import HelperError, literal, one, run, value

KINDS = {
    "r": "table",
    "p": "partitioned table",
    "i": "index",
    "I": "partitioned index",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
    "c": "composite type",
}


@dataclass(frozen=True)
class Column:
    """A column; `key` is its place in the primary key, from 1, or 0."""

    name: str
    type: str
    not_null: bool
    generated: bool
    key: int


@dataclass(frozen=True)
class Table:
    """A table that is there. `text` names it for people, `sql` for PostgreSQL."""

    oid: int
    schema: str
    name: str
    kind: str
    estimate: int
    columns: dict[str, Column]

    @property
    def text(self) -> str:
        """As in messages."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """As in statements."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def key(self) -> list[Column]:
        """The columns of the primary key, in its order."""
        return sorted((column for column in self.columns.values() if column.key), key=lambda column: column.key)

    def column(self, name: str, caller: str) -> Column:
        """A column by name.

        Raises:
            HelperError: there is none.
        """
        found = self.columns.get(name)
        if found is None:
            raise HelperError(f"{caller}: {self.text} has no column {name!r}; it has {', '.join(self.columns)}")
        return found


def quote(name: str) -> str:
    """An identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def identifier(caller: str, what: str, name: object) -> str:
    """A name given as an argument.

    Raises:
        HelperError: it is no text, empty, or longer than PostgreSQL keeps.
    """
    if not isinstance(name, str) or not name:
        raise HelperError(f"{caller}: {what} must be a name, got {name!r}")
    if len(name.encode()) > 63:
        raise HelperError(f"{caller}: {what} {name!r} is longer than 63 bytes, which PostgreSQL would cut")
    return name


def find_table(connection: Connection, caller: str, name: str, schema: str | None) -> Table:
    """A table or partitioned table.

    Raises:
        HelperError: there is none of that name, or it is something else.
    """
    path = quote(identifier(caller, "table", name))
    if schema is not None:
        path = f"{quote(identifier(caller, 'schema', schema))}.{path}"
    row = one(
        connection,
        "SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.reltuples::bigint FROM pg_class c"
        f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({literal(path)})",
    )
    if row is None:
        where = f"schema {schema}" if schema else f"the search path ({value(connection, 'SHOW search_path')})"
        hint = "; give the schema as schema=…" if "." in name and schema is None else ""
        raise HelperError(f"{caller}: there is no table {name!r} in {where}{hint}")
    oid, found_schema, found_name, kind, estimate = row
    if kind not in ("r", "p"):
        raise HelperError(f"{caller}: {found_schema}.{found_name} is a {KINDS.get(kind, kind)}, not a table")
    return Table(oid, found_schema, found_name, kind, estimate, _columns(connection, oid))


def _columns(connection: Connection, oid: int) -> dict[str, Column]:
    rows = run(
        connection,
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',"
        " coalesce(array_position(k.conkey, a.attnum), 0) FROM pg_attribute a"
        " LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'"
        f" WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    columns = (Column(*row) for row in map(tuple, rows))
    return {column.name: column for column in columns}
