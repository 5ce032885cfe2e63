"""The example application run as a user runs it: its own commands, in its own directory, against a real database."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from tests.cluster.postgres import Postgres
from tests.component.warm import Warm, module

ROOT = Path(__file__).resolve().parents[3]
SHOP = ROOT / "examples" / "shop"
PASSWORD = "p@ss/%zz"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "helpers"), "PYTHONDONTWRITEBYTECODE": "1"}

CATALOG: dict[str, LiteralString] = {
    "columns": "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " pg_get_expr(d.adbin, d.adrelid) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    " AND c.relname <> 'alembic_version' AND c.relnamespace = 'public'::regnamespace",
    "constraints": "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated FROM pg_constraint k"
    " JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype <> 'n'"
    " AND c.relname <> 'alembic_version' AND c.relnamespace = 'public'::regnamespace",
    "indexes": "SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indrelid"
    " WHERE c.relname <> 'alembic_version' AND c.relnamespace = 'public'::regnamespace",
    "triggers": "SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


@dataclass(frozen=True)
class Shop:
    """One database, and the application on it."""

    server: Postgres
    database: str
    warm: Warm

    @property
    def uri(self) -> str:
        return self.server.uri(self.database, "shop", PASSWORD)

    def run(self, *words: str, uri: str | None = None) -> subprocess.CompletedProcess[str]:
        """`python -m <words>` or `python -c <word>` in the application's directory."""
        code = module(*words[1:]) if words[0] == "-m" else words[1]
        return self.warm.run(code, env={**ENVIRONMENT, "DATABASE_URL": self.uri if uri is None else uri}, cwd=SHOP)

    def ok(self, *words: str) -> str:
        """The same, which must succeed; gives its standard output."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def upgrade(self, revision: str = "head") -> None:
        self.ok("-m", "alembic", "upgrade", revision)

    def downgrade(self, revision: str) -> None:
        self.ok("-m", "alembic", "downgrade", revision)

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with self.server.connect(self.database, "shop", PASSWORD) as connection:
            return connection.execute(query).fetchall()

    def value(self, query: LiteralString) -> Any:
        return self.rows(query)[0][0]

    def execute(self, *statements: LiteralString) -> None:
        with self.server.connect(self.database, "shop", PASSWORD) as connection:
            for statement in statements:
                connection.execute(statement)

    def catalog(self) -> dict[str, list[tuple[Any, ...]]]:
        """The schema as PostgreSQL has it, in an order of its own."""
        return {kind: sorted(self.rows(query), key=repr) for kind, query in CATALOG.items()}


def revisions() -> list[str]:
    """The ids, oldest first, read from the files."""
    files = sorted((SHOP / "migrations" / "versions").glob("*.py"))
    return [re.findall(r'^revision = "(.*)"$', file.read_text(), re.M)[0] for file in files]
