"""What of a plan is told in its SchemaPlan, which people read first."""

from __future__ import annotations

from alembic_operator.contract.plan import Lock, Statement, Step, StepKind
from alembic_operator.core.plans.build import excerpt

CALL = Statement("CALL index_concurrently()")
READ, SETTING = Statement("SELECT 1 FROM pg_class", channel="runner"), Statement("SET a = 0", channel="runner")
BUILD = Statement("CREATE INDEX i", channel="runner", locks=[Lock("public.t", "ShareUpdateExclusiveLock")])


def step(*statements: Statement, source: str = "") -> Step:
    return Step("b2", StepKind.SQL, statements=list(statements), source=source)


def test_excerpt_has_no_reads_of_helpers_when_a_step_calls_one() -> None:
    assert excerpt(step(CALL, READ, SETTING, BUILD, SETTING)) == "CALL index_concurrently(); CREATE INDEX i"


def test_excerpt_has_all_that_a_revision_sends_itself_when_it_reads() -> None:
    assert excerpt(step(Statement("SELECT 1;"), Statement("DROP TABLE t"))) == "SELECT 1; DROP TABLE t"


def test_excerpt_is_whole_when_all_statements_are_the_runners() -> None:
    assert excerpt(step(READ, SETTING)) == "SELECT 1 FROM pg_class; SET a = 0"


def test_excerpt_is_the_source_when_nothing_is_known_to_be_sent() -> None:
    assert excerpt(step(source="def upgrade(): ...")) == "def upgrade(): ..."
