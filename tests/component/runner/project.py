"""Alembic projects made for a test: an ini file, an env.py as `alembic init` writes it, and revisions."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

_INI = """
[alembic]
script_location = migrations
prepend_sys_path = .
"""

# What `alembic init` writes, with the URL from the environment, as its documentation advises.
_ENV = """
import os
from alembic import context
from sqlalchemy import create_engine, pool

engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

_REVISION = '''
"""{message}"""
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = {depends!r}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
'''


@dataclass
class Project:
    """A project in a directory of its own.

    Attributes:
        directory: Holds alembic.ini.
        last: The id of the revision that was added last; the next one follows it.
    """

    directory: Path
    last: str | None = None
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.versions.mkdir(parents=True)
        (self.directory / "alembic.ini").write_text(_INI)
        (self.directory / "migrations" / "env.py").write_text(_ENV)
        (self.directory / "migrations" / "script.py.mako").write_text("")

    @property
    def versions(self) -> Path:
        """The directory of the revision files."""
        return self.directory / "migrations" / "versions"

    def add(
        self,
        revision: str,
        upgrade: str,
        *,
        down: str | tuple[str, ...] | None = "last",
        depends: str | None = None,
        downgrade: str = "pass",
        file: str = "",
    ) -> Path:
        """Write a revision file whose `upgrade` has this body."""
        path = self.versions / (file or f"{revision}.py")
        path.write_text(
            _REVISION.format(
                message=revision,
                revision=revision,
                down=self.last if down == "last" else down,
                depends=depends,
                upgrade=textwrap.indent(textwrap.dedent(upgrade).strip(), "    "),
                downgrade=textwrap.indent(textwrap.dedent(downgrade).strip(), "    "),
            )
        )
        self.last = revision
        self.ids.append(revision)
        return path

    def sql(self, revision: str, *statements: str) -> Path:
        """Write a revision that sends these statements."""
        return self.add(revision, "\n".join(f"op.execute({statement!r})" for statement in statements) or "pass")
