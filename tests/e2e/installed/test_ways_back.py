"""Downgrades, baselines and repairs on a real cluster: planned, always approved, and applied as they were approved."""

from __future__ import annotations

import psycopg
import pytest

from .place import ANNA, REVIEWED, Place
from .surprises import ORDERS


def test_database_goes_back_when_that_is_allowed_and_approved(shop: Place) -> None:
    shop.apply("reversible", "a2", review=REVIEWED)
    shop.wait("UpToDate")
    shop.patch(revision="a1")
    shop.wait("SchemaAhead")
    assert "region" in shop.columns()

    shop.patch(allowDowngrade=True)
    shop.wait("AwaitingApproval")
    made = shop.plan()["spec"]["plan"]
    assert (made["direction"], made["from"], made["to"]) == ("Downgrade", ["a2"], ["a1"])
    assert "-- downgrade: proven" in shop.sql(shop.plan())
    assert "region" in shop.columns()
    shop.decide("Approve", ANNA)
    status = shop.wait("UpToDate")

    assert (status["current"], shop.revisions()) == ("a1", ["a1"])
    assert "region" not in shop.columns()
    query = "SELECT direction, approved_by FROM alembic_operator.revision_journal WHERE revision = 'a2' ORDER BY id"
    assert shop.rows(query)[-1] == ("down", ANNA)


def test_existing_schema_is_adopted_when_it_is_that_of_the_baseline_and_approved(shop: Place) -> None:
    shop.execute(ORDERS)
    shop.apply("reversible", "a2", review=REVIEWED)
    shop.wait("BaselineRequired")

    shop.patch(baseline={"revisions": ["a1"]})
    shop.wait("AwaitingApproval")
    assert shop.plan()["spec"]["plan"]["direction"] == "Baseline"
    assert shop.rows("SELECT to_regclass('alembic_version')") == [(None,)]
    shop.decide("Approve", ANNA)

    assert shop.wait("UpToDate")["current"] == "a2"
    assert "region" in shop.columns()
    assert [plan["spec"]["plan"]["direction"] for plan in shop.plans()] == ["Baseline", "Upgrade"]


def test_nothing_is_stamped_when_the_existing_schema_lacks_what_the_baseline_makes(shop: Place) -> None:
    shop.execute(ORDERS)
    shop.execute("ALTER TABLE orders DROP COLUMN note")
    shop.apply("reversible", "a2", review=REVIEWED, baseline={"revisions": ["a1"]})

    shop.wait("BaselineMismatch", message="note")

    assert shop.plans() == []
    assert shop.rows("SELECT to_regclass('alembic_version')") == [(None,)]


def test_invalid_index_is_found_and_its_revision_runs_again_when_the_repair_is_approved(shop: Place) -> None:
    shop.apply("concurrent", "a1", review=REVIEWED)
    shop.wait("UpToDate")
    shop.execute("INSERT INTO orders (note) VALUES ('twice'), ('twice')")
    shop.patch(revision="a2")
    shop.wait("OutcomeUnknown", message="a plan run then compares the database in a shadow")
    shop.annotate("retry-at", "compare")
    shop.wait("AwaitingApproval", message="a repair always needs approval")
    assert shop.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux_orders_note'::regclass") == [(False,)]

    shop.execute("DELETE FROM orders")
    shop.decide("Approve", ANNA)

    assert shop.wait("UpToDate")["current"] == "a2"
    assert shop.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ux_orders_note'::regclass") == [(True,)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        shop.execute("INSERT INTO orders (note) VALUES ('twice'), ('twice')")
