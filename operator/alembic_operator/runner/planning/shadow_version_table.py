"""The shadow's version table: a schema-only dump leaves it empty, or there is none yet."""

from __future__ import annotations

from ..database.driver import RawConnection, rows
from ..database.session import VersionTable
from ..database.version_table import schema_exists
from .schema_comparison import quoted


def stamp(connection: RawConnection, version_table: VersionTable, heads: list[str], width: int) -> None:
    """Make the version table where it is missing, as the apply run makes it, and write the target's rows into it.

    Where its schema is missing env.py makes that, and Alembic the table in it.
    """
    if not heads and not schema_exists(connection, version_table.schema):
        return
    schema, table = (quoted(part) for part in (version_table.schema, version_table.table))
    key = quoted(f"{version_table.table}_pkc")
    rows(
        connection,
        f"CREATE TABLE IF NOT EXISTS {schema}.{table} (version_num varchar({width}) NOT NULL, "
        f"CONSTRAINT {key} PRIMARY KEY (version_num))",
    )
    # Alembic makes it as the session's role, which env.py may have set; here it is the superuser's.
    rows(connection, f"GRANT ALL ON {schema}.{table} TO PUBLIC")
    rows(connection, f"DELETE FROM {schema}.{table}")  # noqa: S608
    if heads:
        rows(connection, f"INSERT INTO {schema}.{table} SELECT * FROM unnest(%s::text[])", heads)  # noqa: S608
