"""An env.py whose listener becomes the owner's role on every connection, planned beside the shadow's own script.

There the target's roles are superusers. In the server that the other shapes are planned on, they are what they are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, Runner, failed
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project
from tests.component.shadow.harness import Shadow

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

from .compare import Filling
from .connections import OWNER
from .pair import Pair
from .shape import PLACEHOLDER


class PodPlanner(Planner):
    """Plans as in a pod."""

    def run(self, project: Project, *, driver: str = "psycopg", **request: object) -> Ended:
        """A plan run to its end, with a shadow that lives as long."""
        with Shadow(self.database.server.version) as shadow:
            self.directory = shadow.shared
            return super().run(project, driver=driver, **request)

    def restore(self) -> None:
        """The script does it."""


@pytest.fixture
def planner(planner: Planner) -> Planner:
    """In place of the one that copies the schema itself."""
    return PodPlanner(planner.database, planner.runner, planner.directory, planner.shadow)


def test_equals_plain_alembic_when_a_listener_becomes_the_role_that_the_spec_names(
    planner: Planner, plain: Database, role: str, tmp_path: Path
) -> None:
    Pair(replace(OWNER, request={"role": role}), planner, plain, role, tmp_path).check_every_stop()


def test_message_says_what_to_grant_when_the_role_may_not_write_the_journal(
    runner: Runner, database: Database, role: str, tmp_path: Path
) -> None:
    fill = Filling(database, role)
    project = OWNER.write(tmp_path / "app", PLACEHOLDER, fill)
    for statement in OWNER.prepare:
        database.execute(fill(statement))
    message = failed(runner(project, database.uri, **OWNER.manifest), Reason.PERMISSION_DENIED)
    assert "USAGE on schema alembic_operator, and SELECT, INSERT, UPDATE and DELETE on its tables" in message

    database.execute(f"GRANT USAGE ON SCHEMA alembic_operator TO {role}")
    database.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA alembic_operator TO {role}")
    assert runner(project, database.uri, **OWNER.manifest).result.outcome == Outcome.APPLIED
