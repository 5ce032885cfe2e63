"""What each revision does to the rows that an older release left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.component.shop.shop_runs import Shop

USER = "INSERT INTO users (id, email, full_name) VALUES ('00000000-0000-0000-0000-00000000000a', 'a@shop.example', 'A')"
ORDERS = (
    "INSERT INTO orders (user_id, shipping) SELECT '00000000-0000-0000-0000-00000000000a',"
    " jsonb_build_object('country', (ARRAY['DE', 'CH', 'GB', 'US', 'XX'])[1 + n % 5]) FROM generate_series(0, 2499) n"
)
PRODUCT = (
    "INSERT INTO products (sku, title, price, color, attributes, category_id)"
    " SELECT 'P' || n, 'P', 1, (ARRAY[' Dark  Blue', 'RED', '', NULL])[n],"
    " CASE n WHEN 2 THEN '{\"color\": \"crimson\"}'::jsonb ELSE '{}' END, id"
    " FROM categories, generate_series(1, 4) n WHERE slug = 'old'"
)
INDEX_STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_orders_subscription_id'::regclass"


def test_currency_follows_the_country_when_old_orders_are_backfilled(shop: Shop) -> None:
    shop.upgrade("0003_order_subscription")
    shop.execute(USER, ORDERS)
    shop.upgrade("0004_currency_add")
    assert shop.value("SELECT count(*) FROM orders WHERE currency IS NULL") == 2500
    shop.execute('INSERT INTO orders (user_id, shipping) SELECT id, \'{"country": "CH"}\' FROM users')
    shop.upgrade("0006_currency_required")
    counts = dict(shop.rows("SELECT currency, count(*) FROM orders GROUP BY 1"))
    assert counts == {"EUR": 1001, "CHF": 500, "GBP": 500, "USD": 500}
    assert shop.value(
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'currency'"
    )
    assert shop.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'alembic_operator%'") == 0
    assert shop.value("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'alembic_operator%'") == 0


def test_renewal_is_the_same_instant_when_its_type_changes(shop: Shop) -> None:
    shop.upgrade("0006_currency_required")
    shop.execute(
        USER,
        "INSERT INTO subscriptions (user_id, plan, price, renews_at) SELECT id, p, 1, t::timestamp FROM users,"
        " (VALUES ('weekly', '2026-07-01 12:00'), ('monthly', '2026-12-01 12:00')) v(p, t)",
    )
    node = "SELECT pg_relation_filenode('subscriptions')"
    before = shop.value(node)
    shop.upgrade("0007_renewal_timezone")
    assert shop.value(node) == before, "the table was rewritten"
    moments = [row[0] for row in shop.rows("SELECT renews_at FROM subscriptions ORDER BY 1")]
    assert moments == [datetime(2026, 7, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 11, tzinfo=UTC)]
    shop.downgrade("0006_currency_required")
    assert shop.value("SELECT max(renews_at)::text FROM subscriptions") == "2026-12-01 12:00:00"


def test_both_releases_see_each_others_titles_when_renaming(shop: Shop) -> None:
    shop.upgrade("0007_renewal_timezone")
    shop.execute("INSERT INTO categories (slug, name) VALUES ('before', 'Before')")
    shop.upgrade("0008_category_title_expand")
    shop.execute(
        "INSERT INTO categories (slug, name) VALUES ('old', 'By old')",
        "INSERT INTO categories (slug, title) VALUES ('new', 'By new')",
        "UPDATE categories SET name = 'Renamed by old' WHERE slug = 'before'",
    )
    pairs = shop.rows("SELECT slug, name, title FROM categories ORDER BY slug")
    assert pairs == [
        ("before", "Renamed by old", "Renamed by old"),
        ("new", "By new", "By new"),
        ("old", "By old", "By old"),
    ]
    shop.execute("UPDATE categories SET title = 'Renamed by new' WHERE slug = 'old'")
    assert shop.value("SELECT name FROM categories WHERE slug = 'old'") == "Renamed by new"
    shop.upgrade("0009_category_title_contract")
    shop.downgrade("0008_category_title_expand")
    assert shop.value("SELECT name FROM categories WHERE slug = 'new'") == "By new"
    shop.execute("UPDATE categories SET name = 'By old again' WHERE slug = 'new'")
    assert shop.value("SELECT title FROM categories WHERE slug = 'new'") == "By old again"


def test_index_is_built_anew_when_a_failed_build_left_an_invalid_one(shop: Shop) -> None:
    shop.upgrade("0009_category_title_contract")
    shop.execute("CREATE INDEX ix_orders_subscription_id ON orders (subscription_id)")
    shop.server.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_orders_subscription_id'::regclass",
        database=shop.database,
    )
    assert shop.value(INDEX_STATE) is False
    shop.upgrade("0010_index_order_subscription")
    assert shop.value(INDEX_STATE) is True


def test_orphans_are_cleared_when_the_foreign_key_is_validated(shop: Shop) -> None:
    shop.upgrade("0010_index_order_subscription")
    shop.execute(
        USER, "INSERT INTO orders (user_id, shipping, subscription_id) SELECT id, '{}', gen_random_uuid() FROM users"
    )
    validated = "SELECT convalidated FROM pg_constraint WHERE conname = 'fk_orders_subscription_id_subscriptions'"
    shop.upgrade("0011_fk_order_subscription")
    assert shop.value(validated) is False
    assert shop.value("SELECT count(*) FROM orders WHERE subscription_id IS NOT NULL") == 1
    shop.upgrade("0012_fk_validate")
    assert shop.value(validated) is True
    assert shop.value("SELECT count(*) FROM orders WHERE subscription_id IS NOT NULL") == 0


@pytest.fixture
def colored(shop: Shop) -> Shop:
    """A shop whose products have colors in the old column."""
    shop.upgrade("0012_fk_validate")
    shop.execute("INSERT INTO categories (slug, title) VALUES ('old', 'Old')", PRODUCT)
    return shop


def test_colors_move_and_newer_ones_stay_when_data_migrates(colored: Shop) -> None:
    colored.upgrade()
    found = colored.rows("SELECT sku, attributes->>'color' FROM products ORDER BY sku")
    assert found == [("P1", "dark-blue"), ("P2", "crimson"), ("P3", None), ("P4", None)]


def test_column_stays_when_its_values_are_nowhere_else(colored: Shop) -> None:
    colored.upgrade("0013_color_to_attributes")
    colored.execute("UPDATE products SET color = 'Green' WHERE sku = 'P3'")
    done = colored.run("-m", "alembic", "upgrade", "head")
    assert done.returncode != 0
    assert "products.color was not dropped: 1 products have their color in that column alone" in done.stderr
    assert colored.value("SELECT color FROM products WHERE sku = 'P3'") == "Green"
