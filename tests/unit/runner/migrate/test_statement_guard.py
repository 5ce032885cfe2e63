"""What is let through without a plan: of a helper's SQL all but the end or beginning of a transaction."""

from __future__ import annotations

import pytest

from alembic_operator.runner.migrate.statement_guard import Refused, Unreviewed, refuse_control
from alembic_operator.runner.migrate.transactions import controls


@pytest.mark.parametrize(
    "sql",
    [
        "COMMIT",
        "-- publish\nCOMMIT",
        "COMMIT AND NO CHAIN",
        "COMMIT -- done",
        "INSERT INTO item VALUES (2); -- publish\nCOMMIT",
        "SELECT 1; commit; SELECT 2",
        "ROLLBACK",
        "END",
        "ABORT",
        "BEGIN",
        "START TRANSACTION READ WRITE",
        "PREPARE TRANSACTION 'p'",
    ],
)
def test_refuses_a_helpers_text_when_it_controls_the_transaction(sql: str) -> None:
    with pytest.raises(Refused, match="rule transaction-escape"):
        refuse_control(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "DO $$BEGIN PERFORM 1; END$$",
        "SELECT CASE WHEN true THEN 1 END -- COMMIT",
        "SAVEPOINT s; ROLLBACK TO SAVEPOINT s; RELEASE s",
        "SELECT 'COMMIT; BEGIN', length($a$; COMMIT;$a$)",
        'UPDATE item SET "commit" = coalesce("end", id) WHERE "end" IS NULL',
        "PREPARE p AS SELECT 1",
    ],
)
def test_passes_a_helpers_text_when_it_only_looks_like_transaction_control(sql: str) -> None:
    assert not controls(sql)
    refuse_control(sql)


def test_refuses_a_revisions_text_when_it_outlasts_the_session() -> None:
    with pytest.raises(Refused, match="rule transaction-escape"):
        Unreviewed().check("SELECT 1; PREPARE TRANSACTION 'p'", False)
    Unreviewed().check("COMMIT", False)
