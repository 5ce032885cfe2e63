"""Which statements may commit or leave a part; and the private names of Alembic that the runner leans on."""

from __future__ import annotations

import inspect

import pytest
from alembic.runtime.migration import HeadMaintainer, MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from alembic_operator.runner.migrate.revision import _MAY_COMMIT, _MAY_LEAVE_A_PART


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ("COMMIT", True),
        ("commit;", True),
        ("COMMIT AND CHAIN", True),
        ("COMMIT AND NO CHAIN", True),
        ("COMMIT -- done", True),
        ("-- publish\nCOMMIT", True),
        ("/* publish */ COMMIT WORK;", True),
        ("END TRANSACTION", True),
        ("PREPARE TRANSACTION 'x'", True),
        ("prepare\n  transaction 'x'", True),
        ("SELECT 1; COMMIT; BEGIN", True),
        ("INSERT INTO t VALUES (1); -- publish\nCOMMIT;\nALTER TABLE t ADD COLUMN j int", True),
        ("COMMENT ON TABLE t IS 'x'", False),
        ("ALTER TABLE t ADD COLUMN committed_at date, ADD COLUMN weekend bool", False),
        ("PREPARE p AS SELECT 1", False),
    ],
)
def test_knows_a_statement_that_may_commit(statement: str, may: bool) -> None:
    assert bool(_MAY_COMMIT.search(statement)) == may


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ("CREATE INDEX CONCURRENTLY ix ON t (id)", False),
        ("ALTER TYPE mood ADD VALUE 'soso'", False),
        ("CALL p()", True),
        ("DO $$BEGIN COMMIT; END$$", True),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", True),
    ],
)
def test_knows_a_statement_that_may_leave_a_part_when_it_fails(statement: str, may: bool) -> None:
    assert bool(_MAY_LEAVE_A_PART.search(statement)) == may


def test_alembic_still_has_the_private_names_that_the_runner_uses() -> None:
    assert list(inspect.signature(HeadMaintainer._update_version).parameters) == ["self", "from_", "to_"]
    assert list(inspect.signature(HeadMaintainer._insert_version).parameters) == ["self", "version"]
    assert list(inspect.signature(HeadMaintainer._delete_version).parameters) == ["self", "version"]
    assert "HeadMaintainer(self, heads)" in inspect.getsource(MigrationContext.run_migrations)
    assert "step.migration_fn(**kw)" in inspect.getsource(MigrationContext.run_migrations)
    assert "self.migration_fn" in inspect.getsource(RevisionStep.__init__)
    assert callable(ScriptDirectory._upgrade_revs)
    assert callable(ScriptDirectory._load_revisions)
