"""SQL that a revision hands to a helper: run without a plan, it may end no transaction, and all else passes.

A helper commits batches by an autocommit block of its own; that is no way out for the text that it was given.
"""

from __future__ import annotations

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Ended, Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

IMPORT = (
    "from alembic_operator_helpers import add_not_null, backfill, create_index_concurrently, drop_index_concurrently\n"
)
ITEM = (
    'CREATE TABLE item (id int PRIMARY KEY, name text, "commit" int, "end" int)',
    "INSERT INTO item (id, name) SELECT i, 'n' || i FROM generate_series(1, 250) i",
    "CREATE TABLE kept (id int)",
)
FILL = "backfill('item', set={{'commit': {set!r}}}, where={where!r}, batch=100)"
LEFT = '"commit" IS NULL'

ILLEGAL = {
    "in where": FILL.format(set="1", where=f"{LEFT}; COMMIT"),
    "in where, closing the bracket": FILL.format(
        set="1", where=f"{LEFT}) LIMIT 1) SELECT 1; COMMIT; DROP TABLE kept; SELECT * FROM (SELECT 1 WHERE (true"
    ),
    "in set": FILL.format(set="1); COMMIT; DROP TABLE kept; --", where=LEFT),
    "in a partial index": "create_index_concurrently('ix', 'item', ['name'], where='true; COMMIT; DROP TABLE kept')",
    "in an expression": "create_index_concurrently('ix', 'item', [sa.text('id); COMMIT; DROP TABLE kept; --')])",
    "swallowed": "try:\n    " + FILL.format(set="1", where=f"{LEFT}; COMMIT") + "\nexcept Exception:\n    pass",
}
LEGAL = {
    "CASE": FILL.format(set="CASE WHEN id > 3 THEN 1 ELSE 2 END", where=f"{LEFT} AND CASE WHEN true THEN true END"),
    "in a literal": FILL.format(set="length('; COMMIT; BEGIN')", where=f"{LEFT} AND name <> '; ROLLBACK; END'"),
    "in a comment": FILL.format(set="1 /* ; COMMIT; */", where=f"{LEFT} -- ; END;"),
    "a partial index": "create_index_concurrently('ix', 'item', ['end', 'commit'], where=\"name <> 'COMMIT'\")",
    "an expression": "create_index_concurrently('ix', 'item', [sa.text(\"(CASE name WHEN 'END' THEN 1 END)\")])",
    "an index again": "create_index_concurrently('ix', 'item', ['name'])\n" * 2 + "drop_index_concurrently('ix')",
    "not null": FILL.format(set="1", where=LEFT) + "\nadd_not_null('item', 'commit')",
}


def _run(runner: Runner, project: Project, database: Database, code: str, driver: str = "psycopg") -> Ended:
    project.sql("r1", *ITEM)
    project.add("r2", IMPORT + code)
    return runner(project, database.uri.replace("postgresql://", f"postgresql+{driver}://"))


@pytest.mark.parametrize("name", ILLEGAL)
def test_refuses_transaction_control_when_a_helper_was_given_it(
    database: Database, project: Project, runner: Runner, name: str
) -> None:
    ended = _run(runner, project, database, ILLEGAL[name])
    message = failed(ended, Reason.MIGRATION_FAILED)
    assert 'Applying revision "r2" (r2.py), statement' in message
    assert "begins or ends a transaction" in message
    assert "(rule transaction-escape)" in message
    assert database.heads() == ["r1"]
    assert database.all("SELECT to_regclass('kept')::text, count(\"commit\") FROM item") == [("kept", 0)]


@pytest.mark.parametrize("name", LEGAL)
def test_passes_when_the_words_stand_in_a_helper_s_sql_and_end_nothing(
    database: Database, project: Project, runner: Runner, name: str
) -> None:
    ended = _run(runner, project, database, LEGAL[name])
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r2"]


@pytest.mark.parametrize(("name", "left"), [("in where", 0), ("CASE", 250)])
def test_is_the_same_when_the_driver_is_psycopg2(
    database: Database, project: Project, runner: Runner, name: str, left: int
) -> None:
    ended = _run(runner, project, database, {**ILLEGAL, **LEGAL}[name], "psycopg2")
    assert ended.exit_code == (0 if left else 1), ended.message
    assert left or "(rule transaction-escape)" in ended.failure
    assert database.all("SELECT to_regclass('kept')::text, count(\"commit\") FROM item") == [("kept", left)]


def test_goes_on_when_the_revision_was_corrected(database: Database, project: Project, runner: Runner) -> None:
    failed(_run(runner, project, database, ILLEGAL["in where"]), Reason.MIGRATION_FAILED)
    project.last = "r1"
    project.add("r2", IMPORT + FILL.format(set="1", where=LEFT))
    assert runner(project, database.uri).result.outcome == Outcome.APPLIED
    assert database.all('SELECT sum("commit") FROM item') == [(250,)]
    assert database.journal() == [("r1", "done"), ("r2", "done")]
