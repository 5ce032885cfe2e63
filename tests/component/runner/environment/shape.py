"""A shape of env.py: a small project that does one thing that real ones do, and what its manifest has for it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.component.runner.project import Project

from alembic_operator.contract.request import ConnectionVariable

PLACEHOLDER = "driver://user:pass@localhost/dbname"  # as `alembic init` leaves it

_INI = """
[alembic]
script_location = %(here)s/migrations
prepend_sys_path = .
sqlalchemy.url = {url}
{more}
"""

# Two steps, since the last one is also taken back. Two indexes of one table come out of a set, in an order that
# differs from process to process.
_FIRST = """
account = op.create_table(
    "account",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, index=True),
    sa.Column("name", sa.Text, index=True),
    sa.UniqueConstraint("email", "name"),
)
op.bulk_insert(account, [{"email": "a@example.com", "name": "a"}, {"email": "b@example.com", "name": "b"}])
"""
_SECOND = """
op.create_table(
    "note",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), index=True),
    sa.Column("state", sa.Enum("open", "closed", name="note_state"), nullable=False),
)
op.add_column("account", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))
op.execute("UPDATE account SET active = false WHERE name = 'b'")
"""
_BACK = """
op.drop_column("account", "active")
op.drop_table("note")
op.execute("DROP TYPE note_state")
"""
_PARTS = {
    "{url}": "uri",
    "{host}": "host",
    "{port}": "port",
    "{dbname}": "name",
    "{user}": "user",
    "{password}": "password",
}
Revision = tuple[str, str]  # the bodies of upgrade and downgrade
HISTORY: tuple[Revision, ...] = ((_FIRST, 'op.drop_table("account")'), (_SECOND, _BACK))


@dataclass(frozen=True)
class Shape:
    """A project, and how both are run. Texts may hold {url}, {host}, {port}, {user}, {password}, {dbname} and {role}.

    Attributes:
        name: what it does.
        env: the text of env.py.
        ini: more lines of alembic.ini.
        files: beside alembic.ini, by path.
        history: of two revisions.
        imports: lines that its revision files begin with.
        keywords: whether upgrade and downgrade take what run_migrations() was given.
        environ: variables that its settings read, each one of the texts above: the manifest's connectionEnv.
        request: fields of the run request: what the manifest says beyond path and revision.
        arguments: of plain Alembic, before the command.
        program: the module that is run for plain Alembic, and its first arguments.
        job_env: variables of the Job.
        prepare: SQL of the database's owner, before anything runs.
        scheme: of the URL that plain Alembic gets.
        message: what a refusal says; "" where it runs.
    """

    name: str
    env: str
    ini: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    history: tuple[Revision, ...] = HISTORY
    imports: str = ""
    keywords: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    program: tuple[str, ...] = ("alembic",)
    job_env: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] = ()
    scheme: str = "postgresql+psycopg"
    message: str = ""

    def id(self) -> str:
        """Of a test."""
        return self.name.replace(" ", "-")

    @property
    def manifest(self) -> dict[str, Any]:
        """What the run request has of the manifest."""
        variables = [ConnectionVariable(name, _PARTS[text], self.scheme) for name, text in self.environ.items()]
        return {"environment": "Project", "connection_env": variables, **self.request}

    def write(self, directory: Path, url: str, fill: Callable[[str], str]) -> Project:
        """Write the project; its ini has this URL."""
        project = Project(directory)
        for number, (upgrade, downgrade) in enumerate(self.history, start=1):
            path = project.add(f"r{number}", upgrade, downgrade=downgrade)
            if self.imports:
                path.write_text(path.read_text().replace("import sqlalchemy as sa", self.imports, 1))
            if self.keywords:
                path.write_text(path.read_text().replace("grade():", "grade(**kw):"))
        more = textwrap.dedent(self.ini).replace("{url}", url.replace("%", "%%"))
        (directory / "alembic.ini").write_text(_INI.format(url=url.replace("%", "%%"), more=more))
        (directory / "migrations" / "env.py").write_text(fill(textwrap.dedent(self.env)))
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return project
