"""What is done with one application, step by step, and what came of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.postgres import Postgres
from tests.component.runner.conftest import PASSWORD, USER, Database
from tests.component.runner.harness import Runner
from tests.component.runner.planning.conftest import Planner, trust

from .application import Application
from .follow import Failed, Following
from .install import Installed

DONE = "yes"


@dataclass
class Followed:
    """What came of an application.

    Attributes:
        plain, up, planned, back: "yes", or why not; "" where it was not tried.
        seconds: of plain Alembic to its head; of Apply to nine tenths; of plan, Apply and comparison.
    """

    name: str
    version: str
    fields: list[str]
    revisions: int = 0
    plain: str = ""
    up: str = ""
    planned: str = ""
    back: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class Owned(Database):
    """A database whose owner has the password that the application can read."""

    password: str = PASSWORD

    @property
    def uri(self) -> str:
        """See Database."""
        return self.server.uri(self.name, USER, self.password)


def prepare(server: Postgres) -> None:
    """Make what a server needs: the application's user."""
    server.create_role(USER, PASSWORD)


def follow(application: Application, installed: Installed, server: Postgres, runner: Runner) -> Followed:
    """Do all of it, and say how far it came."""
    found = Followed(application.name, installed.version, application.fields)
    name = application.name.replace("-", "_")
    ours, plain = (Owned(server, f"{side}_{name}", password=application.password) for side in ("ours", "plain"))
    server.execute(f"ALTER ROLE {USER} PASSWORD '{application.password}'")
    with tempfile.TemporaryDirectory(prefix="real-") as directory, ExitStack() as shadows:
        work = Path(directory)
        shadow = work / "shadow"
        shadow.mkdir()
        scratch = shadows.enter_context(Postgres(server.version))
        trust(scratch)
        (shadow / ".s.PGSQL.5432").symlink_to(scratch.directory / f".s.PGSQL.{scratch.port}")
        for database in (ours, plain):
            server.create_database(database.name, owner=USER)
        try:
            _steps(Following(application, installed, Planner(ours, runner, shadow, scratch), plain, work), found)
        finally:
            for database in (ours, plain):
                server.drop_database(database.name)
    return found


def _steps(one: Following, found: Followed) -> None:
    history: list[str] = []

    def plain() -> None:
        history.extend(one.revisions())
        found.revisions = len(history)
        one.make_first()
        one.alembic("upgrade", one.application.target)

    def up() -> None:
        one.apply(history[max(0, len(history) * 9 // 10 - 1)])

    def planned() -> None:
        one.plan_and_apply(history[-1] if "@" in one.application.target else one.application.target)
        one.compare()

    def back() -> None:
        one.alembic("downgrade", "-1")
        one.plan_and_apply(history[-2], back=True)
        one.compare()

    steps: tuple[Callable[[], None], ...] = (plain, up, planned, back)
    for step in steps:
        began = time.monotonic()
        try:
            step()
        except Failed as failed:
            setattr(found, step.__name__, str(failed))
            return
        setattr(found, step.__name__, DONE)
        found.seconds[step.__name__] = round(time.monotonic() - began, 1)
