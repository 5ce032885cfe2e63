"""The example, migrated by alembic-operator's runner: the real zipapp, as a process."""

from __future__ import annotations

from tests.component.runner.harness import Runner
from tests.component.shop.shop_runs import SHOP, Shop, revisions

from alembic_operator.contract.result import Outcome


def test_schema_is_that_of_plain_alembic_when_the_runner_applies_every_revision(shop: Shop, runner: Runner) -> None:
    shop.upgrade()
    by_alembic = shop.catalog()
    shop.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    ended = runner(None, shop.uri, path=str(SHOP))
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert ended.result.current == ["0014_drop_color"]
    assert [record["revision"] for record in ended.events("applied")] == revisions()
    assert ended.result.warnings == []
    assert shop.catalog() == by_alembic
    assert shop.ok("-m", "shop.smoke") == "smoke: ok, 15 checks\n"
    assert "No new upgrade operations detected" in shop.ok("-m", "alembic", "check")


def test_runner_adopts_what_plain_alembic_left_when_it_takes_over(shop: Shop, runner: Runner) -> None:
    shop.upgrade("0005_currency_backfill")
    ended = runner(None, shop.uri, path=str(SHOP), revision="0014_drop_color")
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert [record["revision"] for record in ended.events("applied")] == revisions()[5:]
