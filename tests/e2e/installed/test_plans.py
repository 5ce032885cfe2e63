"""Reviewed changes on a real cluster: planned in a shadow, decided by people, and applied as they were decided."""

from __future__ import annotations

import hashlib
import os
import signal

import pytest

from tests.cluster.lifecycle import Cluster
from tests.cluster.postgres import Postgres
from tests.cluster.postgres_image import ALPINE_UID, postgres_image
from tests.cluster.processes import process_runs, wait_until

from .installation import Installation, process_of
from .place import ANNA, GROUP, PASSWORD, REVIEWED, Place


def phase(place: Place, name: str) -> str:
    return next(str(p.get("status", {}).get("phase", "")) for p in place.plans() if p["metadata"]["name"] == name)


def waiting(place: Place, revision: str = "a3") -> str:
    """Bring a database to a2, then ask for what needs a decision; the name of its plan."""
    place.apply("reviewed", "a2", review=REVIEWED)
    place.wait("UpToDate")
    place.patch(revision=revision)
    return str(place.wait("AwaitingApproval")["plan"]["name"])


def kill(operator: Installation) -> None:
    old = operator.process(operator.leader())
    operator.kill()
    wait_until(lambda: not process_runs(old), "the operator is dead", 20)


def test_safe_change_is_planned_and_applied_without_a_decision(shop: Place) -> None:
    shop.apply("reviewed", "a2", review=REVIEWED)

    status = shop.wait("UpToDate")

    assert shop.kinds() == ["Check", "Plan", "Apply"]
    (plan,) = shop.plans()
    made = plan["spec"]["plan"]
    assert (made["direction"], made["from"], made["to"], made["errors"]) == ("Upgrade", [], ["a2"], 0)
    assert "decision" not in plan["spec"]
    assert "ALTER TABLE orders ADD COLUMN region text" in shop.sql(plan)
    assert (status["current"], shop.columns()[-1]) == ("a2", "region")
    assert (status["history"][0]["plan"], status["history"][0]["digest"]) == (plan["metadata"]["name"], made["digest"])
    wait_until(lambda: phase(shop, plan["metadata"]["name"]) == "Applied", "the plan to be Applied", 20)


def test_dangerous_change_waits_is_read_and_runs_once_an_approver_says_so(shop: Place) -> None:
    name = waiting(shop)
    assert "note" in shop.columns()

    described = shop.kubectl("describe", "splan", name)
    assert "destructive" in described
    plan = shop.plan()
    text = shop.sql(plan)
    assert "ALTER TABLE orders DROP COLUMN note" in text
    assert [part["sha256"] for part in plan["spec"]["plan"]["sql"]] == [hashlib.sha256(text.encode()).hexdigest()]
    assert plan["spec"]["plan"]["digest"] in shop.condition()["message"]
    shop.decide("Approve", ANNA)

    status = shop.wait("UpToDate")

    assert "note" not in shop.columns()
    assert (status["history"][0]["plan"], status["history"][0]["approvedBy"]) == (name, ANNA)
    assert shop.rows("SELECT approved_by FROM alembic_operator.revision_journal WHERE revision = 'a3'") == [(ANNA,)]


def test_digest_in_the_spec_approves_that_plan_and_no_other(shop: Place) -> None:
    waiting(shop)
    digest = shop.status()["plan"]["digest"]
    shop.patch(review={**REVIEWED, "approvedDigest": "sha256:" + "0" * 64})
    shop.wait("AwaitingApproval")
    assert "note" in shop.columns()

    shop.patch(review={**REVIEWED, "approvedDigest": digest})

    assert shop.wait("UpToDate")["current"] == "a3"
    assert "note" not in shop.columns()


def test_rejected_plan_stays_so_until_the_rejection_is_withdrawn(shop: Place) -> None:
    name = waiting(shop)
    shop.decide("Reject", ANNA, reason="not before the release")

    shop.wait("PlanRejected", message="not before the release")
    shop.annotate("reconcile-at", "again")
    shop.wait_for_status(lambda status: status.get("lastHandledReconcileAt") == "again", "the annotation is handled")
    shop.wait("PlanRejected", message="not before the release")
    assert [plan["metadata"]["name"] for plan in shop.plans()][-1] == name
    shop.kubectl("--as", ANNA, "delete", "splan", name)

    shop.wait("AwaitingApproval")
    assert "note" in shop.columns()


def test_plan_is_superseded_when_the_spec_asks_for_something_else(shop: Place) -> None:
    old = waiting(shop)

    shop.patch(revision="a4")

    wait_until(lambda: phase(shop, old) == "Superseded", "the plan to be Superseded", 60)
    shop.wait("AwaitingApproval")
    new = shop.status()["plan"]["name"]
    assert new != old
    assert shop.plan()["spec"]["plan"]["to"] == ["a4"]


def test_shadow_that_cannot_start_is_told_and_a_right_image_helps(shop: Place, cluster: Cluster) -> None:
    missing = {**REVIEWED, "shadow": {"image": f"{cluster.registry}/no-such-postgres@sha256:{'0' * 64}"}}
    shop.apply("reviewed", "a2", review=missing)

    shop.wait("ShadowFailed", message="spec.review.shadow")
    assert shop.rows("SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == [(0,)]

    shop.patch(review={**REVIEWED, "shadow": {"image": ""}})
    shop.wait("UpToDate", timeout=90)


def test_servers_version_is_known_before_the_shadow_starts(place: Place) -> None:
    place.apply("reviewed", "a2", review=REVIEWED)  # the server is PostgreSQL 16, the newest image is of 18

    status = place.wait("UpToDate", timeout=120)

    assert status["database"]["version"].startswith("16")
    assert place.kinds() == ["Check", "Plan", "Apply"]
    assert [event for event in place.events() if event[0] == "Warning"] == []


@pytest.mark.parametrize("uid", [ALPINE_UID, 999])
def test_shadow_runs_as_the_user_that_its_image_has(place: Place, cluster: Cluster, uid: int) -> None:
    image = postgres_image(16, registry=cluster.registry, uid=ALPINE_UID)
    place.apply("reviewed", "a2", review={**REVIEWED, "shadow": {"image": image, "runAsUser": uid}})

    if uid == ALPINE_UID:
        place.wait("UpToDate")
    else:
        place.wait("ShadowFailed", message="spec.review.shadow.runAsUser")


def test_plans_are_made_with_the_review_secret_and_write_nothing(shop: Place, newest: Postgres) -> None:
    reviewer = f"{shop.user}r"
    newest.create_role(reviewer, PASSWORD)
    newest.execute(f"GRANT pg_read_all_data TO {reviewer}")
    shop.secret("review", uri=newest.uri(shop.user, reviewer, PASSWORD))
    database = {"secretRef": {"name": "db"}, "reviewSecretRef": {"name": "review"}}
    try:
        shop.apply("reviewed", "a2", review={**REVIEWED, "mode": "Required"}, database=database)
        shop.wait("AwaitingApproval")
        sent = [line for line in newest.log.read_text().splitlines() if line.startswith(f"{reviewer}@")]
        assert any("LOCK TABLE" in line or "pg_catalog" in line for line in sent)
        writes = ("INSERT", "UPDATE ", "DELETE", "CREATE", "ALTER", "DROP", "GRANT", "TRUNCATE", "COPY")
        assert not [line for line in sent if line.partition("statement: ")[2].lstrip().upper().startswith(writes)]
        assert shop.rows("SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == [(0,)]
        shop.decide("Approve", ANNA)
        shop.wait("UpToDate")
    finally:
        newest.execute(f"DROP OWNED BY {reviewer}")
        newest.execute(f"DROP ROLE {reviewer}")


def test_enormous_plan_can_be_read_whole_before_it_is_approved(shop: Place) -> None:
    shop.apply("enormous", "a2", review={**REVIEWED, "mode": "Required"})
    shop.wait("AwaitingApproval", timeout=120)

    plan = shop.plan()
    text = shop.sql(plan)
    assert text.count("COMMENT ON TABLE orders IS") == 640
    assert len(text) > 5 * 2**20
    assert len(plan["spec"]["plan"]["sql"]) > 5

    shop.decide("Approve", ANNA)
    assert shop.wait("UpToDate", timeout=120)["current"] == "a2"


def test_change_goes_on_when_the_operator_is_killed_at_each_stage(shop: Place, operator: Installation) -> None:
    shop.apply("reviewed", "a3", review={**REVIEWED, "mode": "Required"})
    wait_until(lambda: shop.kinds() == ["Check", "Plan"], "the plan run", 20)
    kill(operator)
    shop.wait("AwaitingApproval", timeout=90)
    operator.destroy(operator.leader())  # another pod takes over: the kubelet lets one wait that ends often
    shop.decide("Approve", ANNA)
    wait_until(lambda: "Apply" in shop.kinds(), "the apply run", 60)
    kill(operator)

    shop.wait("UpToDate", timeout=90)

    assert shop.kinds() == ["Check", "Plan", "Apply"]
    assert len(shop.plans()) == 1
    assert shop.revisions() == ["a3"]


def test_run_ends_as_approved_when_its_plan_is_deleted_meanwhile(shop: Place) -> None:
    with shop.gate():
        shop.apply("gated", "a3", review=REVIEWED, timeouts={"lock": "5m"})
        shop.wait_at_gate()
        shop.kubectl("delete", "splan", shop.status()["plan"]["name"])
    shop.wait("UpToDate", timeout=90)

    assert shop.rows("SELECT revision FROM ran") == [("a2 before",), ("a2 after",), ("a3",)]
    assert shop.kinds() == ["Check", "Plan", "Apply"]


def test_approved_plan_goes_on_without_another_approval_when_its_run_was_killed(shop: Place) -> None:
    with shop.gate():
        shop.apply("gated", "a3", review={**REVIEWED, "mode": "Required"}, timeouts={"lock": "5m"})
        shop.wait("AwaitingApproval")
        shop.decide("Approve", ANNA)
        shop.wait_at_gate()
        applying = next(pod for pod in shop.pods() if pod["metadata"]["labels"][f"{GROUP}/run-kind"] == "Apply")
        os.kill(process_of(applying, "migration"), signal.SIGKILL)
        shop.wait_for_status(lambda status: status.get("lastFailure"), "the end of the run is told")

    shop.wait("UpToDate", timeout=90)

    assert shop.rows("SELECT revision FROM ran") == [("a2 before",), ("a2 after",), ("a3",)]
    assert len(shop.plans()) == 1
