"""Ways out of a revision's session: each is refused, and nothing of the revision stays."""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

RAW = "raw = op.get_bind().connection.driver_connection\n"
SEND = "raw.cursor().execute('INSERT INTO item VALUES (2)')\n"
ENGINE = "engine = op.get_bind().engine\n"
# Ways to write by another connection of the engine that Alembic migrates by.
BY_ITS_ENGINE = {
    "a transaction": ENGINE + "with engine.begin() as other:\n    other.exec_driver_sql('INSERT INTO item VALUES (2)')",
    "autocommit": ENGINE + "with engine.connect().execution_options(isolation_level='AUTOCOMMIT') as other:\n"
    "    other.exec_driver_sql('CREATE INDEX CONCURRENTLY ix_item ON item (id)')",
    "the driver": ENGINE + "other = engine.raw_connection()\n"
    "other.cursor().execute('INSERT INTO item VALUES (2)')\nother.commit()",
    "a session": "from sqlalchemy.orm import Session\n" + ENGINE + "with Session(engine) as other:\n"
    "    other.execute(sa.text('INSERT INTO item VALUES (2)'))\n    other.commit()",
}
OF_PSYCOPG = {
    "tpc": f"raw.tpc_begin(raw.xid(1, 'x', 'y'))\n{SEND}raw.tpc_prepare()",
    **BY_ITS_ENGINE,
}
OF_PSYCOPG2 = {
    "reset": f"{SEND}raw.reset()",
    "tpc": f"raw.tpc_begin(raw.xid(1, 'x', 'y'))\n{SEND}raw.tpc_prepare()",
    **BY_ITS_ENGINE,
}
EACH = [("psycopg", *one) for one in OF_PSYCOPG.items()] + [("psycopg2", *one) for one in OF_PSYCOPG2.items()]


@pytest.mark.parametrize(
    ("driver", "code", "swallowed"),
    [(driver, code, number % 2 == 0) for number, (driver, _, code) in enumerate(EACH)],  # pairwise
    ids=[f"{one[0]}: {one[1]}" for one in EACH],
)
def test_is_refused_when_a_revision_leaves_its_session_by_the_driver(
    database: Database, project: Project, runner: Runner, *, driver: str, code: str, swallowed: bool
) -> None:
    body = RAW + code
    if swallowed:
        body = "try:\n" + "\n".join("    " + line for line in body.splitlines()) + "\nexcept Exception:\n    pass"
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add("r2", body + "\nop.execute('CREATE TABLE other (id int)')")
    secret = database.uri.replace("postgresql://", f"postgresql+{driver}://")
    message = failed(runner(project, secret), Reason.MIGRATION_FAILED)
    assert "transaction-escape" in message
    assert database.journal() == [("r1", "done")]
    assert database.all("SELECT (SELECT count(*) FROM item), to_regclass('other'), to_regclass('ix_item')") == [
        (0, None, None)
    ]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("where", ["imported by name", "in a thread"])
def test_is_refused_when_a_revision_connects_by_a_name_or_thread_that_nobody_watches(
    database: Database, project: Project, runner: Runner, driver: str, where: str
) -> None:
    send = f"connect({database.uri!r}).cursor().execute('INSERT INTO item VALUES (2); COMMIT')"
    project.sql("r1", "CREATE TABLE item (id int)")
    if where == "in a thread":
        body = f"import threading\nthread = threading.Thread(target=lambda: {send})\nthread.start()\nthread.join()"
    else:
        body = send
    path = project.add("r2", body)
    path.write_text(f"from {driver} import connect\n{path.read_text()}")
    message = failed(runner(project, database.uri), Reason.MIGRATION_FAILED)
    assert "it opens its own database connection" in message
    assert database.all("SELECT count(*) FROM item") == [(0,)]


def test_goes_on_when_a_cursor_is_made_by_hand(database: Database, project: Project, runner: Runner) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    send = "import psycopg\npsycopg.ClientCursor(raw).execute('INSERT INTO item SELECT CASE WHEN true THEN 7 END')"
    project.add("r2", RAW + send)
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.all("SELECT id FROM item") == [(7,)]
    assert database.all("SELECT statements FROM alembic_operator.revision_journal WHERE revision = 'r2'") == [(1,)]
