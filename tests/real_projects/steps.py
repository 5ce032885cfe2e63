"""What is done with one application, step by step, and what came of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.postgres import Postgres
from tests.component.runner.databases import PASSWORD, USER, Database
from tests.component.runner.harness import Runner
from tests.component.runner.planner import Planner

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


@dataclass(frozen=True)
class Servers:
    """Where the databases are, and where the shadow is."""

    target: Postgres
    shadow: Postgres


def follow(
    application: Application, installed: Installed, servers: Servers, runner: Runner, *, back: bool = True
) -> Followed:
    """Do all of it, or all but the way back, and say how far it came."""
    found = Followed(application.name, installed.version, application.fields)
    name, server = application.name.replace("-", "_"), servers.target
    ours, plain = (Owned(server, f"{side}_{name}", password=application.password) for side in ("ours", "plain"))
    server.execute(f"ALTER ROLE {USER} PASSWORD '{application.password}'")
    with tempfile.TemporaryDirectory(prefix="real-") as directory:
        work = Path(directory)
        shadow = work / "shadow"
        shadow.mkdir()
        scratch = servers.shadow
        (shadow / ".s.PGSQL.5432").symlink_to(scratch.directory / f".s.PGSQL.{scratch.port}")
        for database in (ours, plain):
            server.create_database(database.name, owner=USER)
        try:
            planner = Planner(ours, runner, shadow, scratch)
            _steps(Following(application, installed, planner, plain, work), found, back=back)
            planner.clear()
        finally:
            for database in (ours, plain):
                server.drop_database(database.name)
    return found


def _steps(one: Following, found: Followed, *, back: bool) -> None:
    history: list[str] = []

    def plain() -> None:
        history.extend(one.revisions())
        found.revisions = len(history)
        one.make_first()
        one.alembic("upgrade", one.application.target)

    def up() -> None:
        if len(history) > 1:
            one.apply(history[max(0, len(history) * 9 // 10 - 1)])

    def planned() -> None:
        one.plan_and_apply(history[-1] if "@" in one.application.target else one.application.target)
        one.compare()

    def taken_back() -> None:
        if len(history) == 1:
            raise Failed("it is the only revision")
        one.alembic("downgrade", "-1")
        one.plan_and_apply(history[-2], back=True)
        one.compare()

    steps: dict[str, Callable[[], None]] = {"plain": plain, "up": up, "planned": planned}
    if back:
        steps["back"] = taken_back
    for name, step in steps.items():
        began = time.monotonic()
        try:
            step()
        except Failed as failed:
            setattr(found, name, str(failed))
            return
        setattr(found, name, DONE)
        found.seconds[name] = round(time.monotonic() - began, 1)
