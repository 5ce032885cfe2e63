"""The helpers that the zipapp carries, beside copies that the image has."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import Runner
from tests.component.runner.project import Project

from alembic_operator.contract.result import Outcome

WHERE = """
import alembic_operator_helpers
print("helpers from", alembic_operator_helpers.__file__, flush=True)
"""


@pytest.mark.parametrize(("installed", "wins"), [("0.0.1", False), ("99.0", True)], ids=["older", "newer"])
def test_image_s_copy_wins_when_it_is_not_older(
    database: Database, project: Project, runner: Runner, tmp_path: Path, *, installed: str, wins: bool
) -> None:
    site = tmp_path / "site"
    (site / "alembic_operator_helpers").mkdir(parents=True)
    (site / "alembic_operator_helpers" / "__init__.py").write_text(
        "from contextvars import ContextVar\non_progress = ContextVar('on_progress', default=None)\n"
    )
    metadata = site / f"alembic_operator_helpers-{installed}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: alembic-operator-helpers\nVersion: {installed}\n")
    project.add("r1", WHERE)
    ended = runner(project, database.uri, env={"PYTHONPATH": str(site)})
    assert ended.result.outcome == Outcome.APPLIED, ended.message + ended.stderr
    expected = str(site) if wins else f"{runner.pyz}/bundled"
    assert f"helpers from {expected}/alembic_operator_helpers/__init__.py" in ended.stdout


def test_backfill_keeps_its_place_in_the_journal_when_it_fails_half_way(
    database: Database, project: Project, runner: Runner
) -> None:
    project.sql(
        "r1",
        "CREATE TABLE item (id int PRIMARY KEY, price int, cents int)",
        "INSERT INTO item (id, price) SELECT i, CASE i WHEN 250 THEN NULL ELSE i END FROM generate_series(1, 400) i",
        "CREATE FUNCTION cents(p int) RETURNS int LANGUAGE plpgsql AS "
        "$$BEGIN IF p IS NULL THEN RAISE EXCEPTION 'no price' USING ERRCODE = '22004'; END IF; RETURN p * 100; END$$",
    )
    project.add(
        "r2",
        """
        from alembic_operator_helpers import backfill
        backfill("item", set={"cents": "cents(price)"}, where="cents IS NULL", batch=100, pause=0)
        """,
    )
    first = runner(project, database.uri)
    assert first.result.failure is not None
    assert first.result.failure.sqlstate == "22004"
    assert database.all("SELECT count(cents) FROM item") == [(200,)]  # two batches are committed
    assert database.all("SELECT revision, rows FROM alembic_operator.backfill_progress") == [("r2", 200)]
    assert database.journal()[-1] == ("r2", "intent")

    database.execute("UPDATE item SET price = 250 WHERE id = 250")
    second = runner(project, database.uri)
    assert second.result.outcome == Outcome.APPLIED, second.message
    assert second.events("helper")
    assert database.all("SELECT count(*) FROM item WHERE cents = price * 100") == [(400,)]
    assert database.journal() == [("r1", "done"), ("r2", "done")]
    assert database.all("SELECT * FROM alembic_operator.backfill_progress") == []
