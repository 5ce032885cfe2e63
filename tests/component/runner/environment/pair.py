"""One shape of env.py, planned, approved, applied, checked and taken back beside plain Alembic."""

from __future__ import annotations

from pathlib import Path

from tests.component.runner.approvals import approve_as_planned
from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner

from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

from .compare import Filling, difference, dump, plain_alembic
from .shape import PLACEHOLDER, Shape


class Pair:
    """One shape in two databases: plain Alembic's, and ours.

    Attributes:
        planner: for ours.
        driver: that the runner's interpreter has.
    """

    driver = "psycopg"

    def __init__(self, shape: Shape, planner: Planner, plain: Database, role: str, directory: Path) -> None:
        self.shape, self.planner, self.plain, self.directory = shape, planner, plain, directory
        self.ours = planner.database
        self.filling = Filling(plain, role, shape.scheme)
        here = Filling(self.ours, role, shape.scheme)
        self.theirs = shape.write(directory / "plain", self.filling("{url}"), self.filling)
        self.project = shape.write(directory / "app", PLACEHOLDER, here)
        planner.env = dict(shape.job_env)
        for database, filling in ((plain, self.filling), (self.ours, here)):
            for statement in shape.prepare:
                database.execute(filling(statement))

    def alembic(self, verb: str, revision: str) -> list[str]:
        """What plain Alembic makes."""
        command = [*self.shape.program, *self.shape.arguments, verb, revision]
        environ = {**self.shape.job_env, **self.filling.all(self.shape.environ)}
        plain_alembic(self.plain, self.theirs.directory, command, environ)
        return dump(self.plain)

    @property
    def uri(self) -> str:
        """Of ours, with the driver."""
        return self.ours.uri.replace("postgresql", f"postgresql+{self.driver}", 1)

    def run(self, revision: str, *, back: bool = False) -> None:
        """Plan, approve and apply."""
        request = {**self.shape.manifest, "revision": revision, "allow_downgrade": back}
        mount = self.directory / f"plan-{revision}"
        mount.mkdir()
        approved, mounts = approve_as_planned(self.planner(self.project, driver=self.driver, **request), mount)
        ended = self.planner.runner(
            self.project, self.uri, mounts=mounts, env=self.planner.env, approved=approved, **request
        )
        assert ended.result.outcome == Outcome.APPLIED, f"{ended.message}\n{ended.stdout}{ended.stderr}"

    def outcome(self) -> Outcome:
        """What a check run says."""
        request = {**self.shape.manifest, "kind": RunKind.CHECK}
        return self.planner.runner(self.project, self.uri, env=self.planner.env, **request).result.outcome

    def compare(self, plain: list[str]) -> None:
        """See that ours is what plain Alembic made."""
        differs = difference(plain, dump(self.ours))
        assert not differs, differs

    def check_every_stop(self) -> None:
        """Compare both databases at every stop: at the head, and one revision before it."""
        self.check_the_way_up()

        down = self.alembic("downgrade", "r1")
        self.run("r1", back=True)
        self.compare(down)

    def check_the_way_up(self) -> None:
        """Compare both databases at the head."""
        up = self.alembic("upgrade", "head")
        self.run("head")
        self.compare(up)
        assert self.outcome() == Outcome.UP_TO_DATE
