"""The application's own commands: seed, smoke, and what they say when they cannot work."""

from __future__ import annotations

import pytest
from tests.component.shop.shop_runs import Shop

COUNTS = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM users), (SELECT count(*) FROM categories)"


def test_smoke_passes_and_leaves_nothing_when_the_schema_is_new(each_shop: Shop) -> None:
    each_shop.upgrade()
    assert each_shop.ok("-m", "shop.smoke") == "smoke: ok, 15 checks\n"
    assert each_shop.rows(COUNTS) == [(0, 0, 0)]
    each_shop.ok("-m", "shop.seed")
    assert each_shop.ok("-m", "shop.smoke") == "smoke: ok, 15 checks\n"
    assert each_shop.rows(COUNTS) == [(50, 10, 10)]


def test_seed_adds_only_what_is_missing_when_run_again(shop: Shop) -> None:
    shop.upgrade()
    shop.ok("-m", "shop.seed", "--orders", "3000")
    assert shop.rows(COUNTS) == [(3000, 300, 10)]
    again = shop.ok("-m", "shop.seed", "--orders", "3000")
    assert again == "seed: added 0 categories, 0 products, 0 users, 0 subscriptions, 0 orders, 0 order_items\n"


def test_smoke_tells_what_is_missing_when_the_schema_is_too_old(shop: Shop) -> None:
    shop.upgrade("0003_order_subscription")
    done = shop.run("-m", "shop.smoke")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("smoke: failed after 0 checks:")
    assert 'column "title" of relation "categories" does not exist' in done.stderr


def test_smoke_passes_when_only_contracting_revisions_are_missing(shop: Shop) -> None:
    shop.upgrade("0008_category_title_expand")
    assert shop.ok("-m", "shop.smoke") == "smoke: ok, 15 checks\n"


def test_smoke_fails_when_a_constraint_is_gone(shop: Shop) -> None:
    shop.upgrade()
    shop.execute("ALTER TABLE orders DROP CONSTRAINT ck_orders_status")
    done = shop.run("-m", "shop.smoke")
    assert done.returncode == 1
    assert "an unknown order status: accepted" in done.stderr
    assert shop.rows(COUNTS) == [(0, 0, 0)]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "DATABASE_URL is not set"),
        ("mysql://u:geheim@h/d", "DATABASE_URL names 'mysql'; the shop runs on PostgreSQL only"),
        ("postgresql://u:geheim@h:port/d", "DATABASE_URL is no URI"),
    ],
)
def test_message_is_plain_and_holds_no_password_when_the_address_is_bad(shop: Shop, uri: str, message: str) -> None:
    words = ("shop.smoke",) if uri else ("alembic", "upgrade", "head")
    done = shop.run("-m", *words, uri=uri)
    assert done.returncode == 1
    assert message in done.stderr
    assert "geheim" not in done.stdout + done.stderr


def test_offline_sql_is_refused_when_asked_for(shop: Shop) -> None:
    done = shop.run("-m", "alembic", "upgrade", "head", "--sql")
    assert done.returncode == 1
    assert "offline SQL is not offered" in done.stderr
