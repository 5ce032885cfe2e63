"""Plain Alembic and the runner side by side: what `pg_dump` writes of both databases has to be the same, whole."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import psycopg
from tests.cluster.postgres import binaries
from tests.component.runner.databases import Database
from tests.component.runner.harness import basic_environment
from tests.component.warm import module

_RANDOM = ("\\restrict ", "\\unrestrict ")  # a new word in every dump


def dump(database: Database) -> list[str]:
    """Schema, owners, rights and rows, without the journal."""
    ended = subprocess.run(
        [
            binaries(database.server.version) / "pg_dump",
            "--exclude-schema=alembic_operator",
            database.server.uri(database.name),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line for line in ended.stdout.splitlines() if line and not line.startswith(("--", *_RANDOM))]


@dataclass(frozen=True)
class Filling:
    """What the braces in a shape's texts stand for: the connection, and a role that the user is a member of."""

    database: Database
    role: str
    scheme: str = "postgresql"

    def __call__(self, text: str) -> str:
        """The text, filled."""
        facts = psycopg.conninfo.conninfo_to_dict(self.database.uri)
        parts = {name: str(facts[name]) for name in ("host", "port", "user", "password", "dbname")}
        parts["url"] = self.database.uri.replace("postgresql", self.scheme, 1)
        parts["role"] = self.role
        for name, value in parts.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def all(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The values, filled."""
        return {name: self(text) for name, text in texts.items()}


def plain_alembic(database: Database, directory: Path, command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run Alembic's command line, or the project's own, as a person does; `command` begins with a module's name."""
    assert database.warm is not None
    ended = database.warm.run(module(*command), cwd=directory, env={**basic_environment(), **environ})
    assert ended.returncode == 0, f"plain Alembic failed: {ended.stdout}{ended.stderr}"


def difference(plain: Sequence[str], ours: Sequence[str]) -> str:
    """The lines that only one of them has, and where; empty when they are equal."""
    return "\n".join(unified_diff(plain, ours, "plain Alembic", "the runner", lineterm="", n=1))
