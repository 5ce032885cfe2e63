"""Ways out of a revision's transaction or session: the plan tells each, and none leads to the target."""

from __future__ import annotations

import pytest
from tests.component.runner.harness import failed
from tests.component.runner.migrate.test_escapes import BY_ITS_ENGINE, RAW
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason

SEND = "raw.cursor().execute('CREATE TABLE extra (id int)')\n"
OF_PSYCOPG = {
    "autocommit": f"raw.autocommit = True\n{SEND}",
    "transaction": f"with raw.transaction():\n    {SEND}",
    "hand-made cursor": f"import psycopg\npsycopg.ClientCursor(raw).execute('COMMIT')\n{SEND}",
}
OF_PSYCOPG2 = {
    "autocommit": f"raw.autocommit = True\n{SEND}",
    "set_isolation_level": f"raw.set_isolation_level(0)\n{SEND}",
    "set_session": f"raw.set_session(autocommit=True)\n{SEND}",
    "reset": f"{SEND}raw.reset()",
}
BY_SQL = {"sql": f"op.execute('COMMIT')\n{SEND}"}
EACH = [("psycopg", *one) for one in OF_PSYCOPG.items()]
EACH += [("psycopg2", *one) for one in {**OF_PSYCOPG2, **BY_SQL}.items()]


@pytest.fixture
def shop(project: Project, planner: Planner) -> Project:
    """A project whose first revision is applied."""
    project.sql("r1", "CREATE TABLE item (id int)")
    assert planner.runner(project, planner.database.uri).exit_code == 0
    return project


@pytest.mark.parametrize(("driver", "code"), [one[::2] for one in EACH], ids=[f"{one[0]}: {one[1]}" for one in EACH])
def test_step_is_no_transaction_when_a_revision_ends_its_own(
    shop: Project, planner: Planner, driver: str, code: str
) -> None:
    shop.sql("r2", "CREATE TABLE other (id int)")  # the first of a run begins in the transaction that read the heads
    shop.add("r3", RAW + code)

    step = planner(shop, driver=driver).steps[-1]

    assert bool(step.escapes) == ("reset" in code)
    assert not step.transactional or "reset" in code
    assert [one.sql for one in step.statements if "extra" in one.sql] == ["CREATE TABLE extra (id int)"]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_target_is_left_alone_when_a_revision_connects_by_a_name_that_it_imported(
    shop: Project, planner: Planner, driver: str
) -> None:
    path = shop.add(
        "r2",
        f"other = connect({planner.database.uri!r})\n"
        "other.cursor().execute('INSERT INTO item VALUES (4711)')\nother.commit()\nother.close()",
    )
    path.write_text(f"from {driver} import connect\n{path.read_text()}")

    (step,) = planner(shop, driver=driver).steps

    assert step.escapes == ["After statement 0 it opens its own database connection."]
    assert planner.database.all("SELECT count(*) FROM item") == [(0,)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("way", BY_ITS_ENGINE.values(), ids=BY_ITS_ENGINE)
def test_plan_says_so_when_a_revision_writes_by_another_connection_of_its_engine(
    shop: Project, planner: Planner, driver: str, way: str
) -> None:
    shop.add("r2", way)
    message = failed(planner.run(shop, driver=driver), Reason.MIGRATION_FAILED)
    assert 'revision "r2" (r2.py)' in message
    assert "it writes through its own database connection, from the engine of op.get_bind()" in message
