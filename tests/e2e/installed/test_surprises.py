"""Between plan and apply: what is no longer what was approved does not run, and the reason says what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until

from .place import ANNA, REVIEWED, Place
from .surprises import FETCHED, GONE, REGION

UNTOUCHED = ["id", "note", "created_at", "updated_at"]


def at_first(place: Place, history: str, **spec: Any) -> None:
    """Bring a database to the first revision of a history."""
    place.apply(history, "a1", review=REVIEWED, **spec)
    place.wait("UpToDate")


@contextmanager
def serving(cluster: Cluster, answers: list[str]) -> Iterator[str]:
    """A web server that pods reach, which gives the answers in turn, and the last one for ever; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # (the name is http.server's)
            body = (answers.pop(0) if len(answers) > 1 else answers[0]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((cluster.host_address, 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{cluster.host_address}:{server.server_port}/script.sql"
        finally:
            server.shutdown()
            thread.join()


def test_statement_is_refused_when_the_revision_fetches_another_script(shop: Place, cluster: Cluster) -> None:
    with serving(cluster, [REGION, GONE]) as address:
        at_first(shop, "fetching", job={"env": [{"name": FETCHED, "value": address}]})
        shop.patch(revision="a2")
        shop.wait("MigrationFailed", message="which a plan run does not allow. If planning needs it, set")

        shop.patch(review={"network": "Open"})
        shop.wait("StatementMismatch", message="DROP TABLE orders")

    assert shop.columns() == UNTOUCHED


def test_commit_in_a_revision_waits_for_a_decision_and_runs_as_approved(shop: Place) -> None:
    at_first(shop, "committing")
    shop.patch(revision="a2")
    shop.wait("AwaitingApproval")
    assert "mixed-autocommit" in {
        one["rule"] for step in shop.plan()["spec"]["plan"]["steps"] for one in step["findings"]
    }
    assert shop.columns() == UNTOUCHED
    shop.decide("Approve", ANNA)

    shop.wait("UpToDate")

    assert shop.rows("SELECT to_regclass('orders')") == [(None,)]


def test_it_is_planned_again_when_somebody_moved_the_database_after_the_plan(shop: Place) -> None:
    shop.apply("reviewed", "a2", review=REVIEWED)
    shop.wait("UpToDate")
    shop.patch(revision="a4")
    old = shop.wait("AwaitingApproval")["plan"]["name"]
    shop.execute("ALTER TABLE orders DROP COLUMN note")
    shop.execute("UPDATE alembic_version SET version_num = 'a3'")
    shop.decide("Approve", ANNA)

    status = shop.wait("UpToDate")

    assert status["current"] == "a4"
    assert [plan["spec"]["plan"]["from"] for plan in shop.plans()][-1] == ["a3"]
    told = [message for _, reason, message in shop.events() if reason == "PlanSuperseded"]
    assert any("Nothing was sent" in message for message in told), told
    assert status["plan"]["name"] != old


def test_approval_is_worth_nothing_when_it_comes_for_the_plan_before(shop: Place) -> None:
    shop.apply("reviewed", "a2", review=REVIEWED)
    shop.wait("UpToDate")
    shop.patch(revision="a3")
    status = shop.wait("AwaitingApproval")
    old, digest = status["plan"]["name"], status["plan"]["digest"]

    shop.patch(revision="a4", review={**REVIEWED, "approvedDigest": digest})
    shop.kubectl(
        *("--as", ANNA, "patch", "splan", old, "--type=merge"),
        *("-p", f'{{"spec":{{"decision":{{"type":"Approve","by":"{ANNA}"}}}}}}'),
    )

    shop.wait("AwaitingApproval")
    assert shop.plan()["spec"]["plan"]["to"] == ["a4"]
    assert shop.kinds().count("Apply") == 1
    assert "note" in shop.columns()


def test_nothing_runs_when_the_approval_is_withdrawn_while_its_job_starts(shop: Place) -> None:
    shop.apply("reviewed", "a2", review=REVIEWED)
    shop.wait("UpToDate")
    shop.patch(revision="a3")
    digest = shop.wait("AwaitingApproval")["plan"]["digest"]
    shop.set_quota(pods="0")
    shop.patch(review={**REVIEWED, "approvedDigest": digest})
    shop.wait("JobRefused")
    started = shop.kinds()

    shop.patch(review=REVIEWED | {"approvedDigest": ""})
    shop.wait("AwaitingApproval")
    wait_until(lambda: len(shop.kinds()) == len(started) - 1, "the Job to go", 60)
    shop.lift_quota()
    shop.annotate("reconcile-at", "again")
    shop.wait_for_status(lambda status: status.get("lastHandledReconcileAt") == "again", "the annotation is handled")

    shop.wait("AwaitingApproval")
    assert "note" in shop.columns()
    assert shop.kinds().count("Apply") == 1
