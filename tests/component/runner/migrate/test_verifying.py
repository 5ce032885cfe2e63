"""What a run finds when it reads the database again at its end, and what its message advises."""

from __future__ import annotations

from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

RESTORE = (
    "INSERT INTO alembic_operator.revision_journal (history, revision, state, started) "
    "SELECT 'public.alembic_version', unnest(ARRAY['r1']), 'adopted', now()"
)


def test_says_what_to_do_when_the_version_table_is_not_at_the_target(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.add(
        "r2",
        """
        from sqlalchemy import event
        back = "UPDATE alembic_version SET version_num = 'r1'"
        event.listen(op.get_bind(), "commit", lambda bind: bind.exec_driver_sql(back))
        """,
    )
    assert failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN) == (
        'Verifying public.alembic_version on a new connection after the last step to "r2": the database is at r1. '
        "Something else changed it, or a revision changes the version table itself. Check the database: if its "
        "version table does not match the schema, alembic stamp it. Then set the annotation "
        "alembic-operator.dev/retry-at."
    )

    # What the message advises works.
    assert database.alembic(project, "stamp", "r2").returncode == 0
    assert runner(project, database.uri).result.outcome == Outcome.UP_TO_DATE


def test_says_what_to_do_when_the_journal_lost_a_row(database: Database, project: Project, runner: Runner) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    project.sql("r2", "DELETE FROM alembic_operator.revision_journal WHERE revision = 'r1'")
    assert failed(runner(project, database.uri), Reason.OUTCOME_UNKNOWN) == (
        "Verifying public.alembic_version on a new connection: the database is at the target, but the journal has "
        'no row of this run for revision "r1". Something else changed the journal. Restore the missing rows: '
        f"{RESTORE}. Then set the annotation alembic-operator.dev/retry-at."
    )

    # What the message advises works.
    database.execute(RESTORE)
    assert runner(project, database.uri).result.outcome == Outcome.UP_TO_DATE
    assert sorted(database.journal()) == [("r1", "adopted"), ("r2", "done")]
