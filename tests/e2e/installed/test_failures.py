"""Runs that fail by what they do, and pods that are not let in."""

from __future__ import annotations

from .place import STALLED, Place

RETRYING = "RetryingAfterFailure"
FAILURE = {"reason": "MigrationFailed", "sqlstate": "42P01", "revision": "a2", "statement": 2}


def test_failing_sql_is_told_and_a_corrected_image_goes_on(place: Place) -> None:
    place.apply("failing", "a2")

    status = place.wait("MigrationFailed")

    failed = (
        'Applying revision "a2" (a2.py), statement 2: SQLSTATE 42P01: relation "order_lines" does not exist. It was '
        f"rolled back. Correct the revision, or what it conflicts with in the database. {STALLED}"
    )
    assert place.message() == failed
    assert place.conditions() == {"Ready": ("False", "MigrationFailed"), "Stalled": ("True", "MigrationFailed")}
    assert place.told("MigrationStarted", "MigrationFailed") == [
        ("Normal", "MigrationStarted", "Job shop/1 is migrating the database to revision a2."),
        ("Warning", "MigrationFailed", failed),
    ]
    assert (status["current"], status["pendingRevisions"], place.revisions()) == ("a1", 1, ["a1"])
    assert FAILURE.items() <= status["lastFailure"].items()
    assert place.orders() == 0

    place.patch(migrations={"path": "/histories/repaired"})

    place.wait("UpToDate")
    assert place.orders() == 1


def test_failing_sql_is_not_tried_again_unasked_and_is_when_asked(place: Place) -> None:
    place.apply("failing", "a2")
    place.wait("MigrationFailed")
    place.execute("CREATE TABLE order_lines (id int)")
    assert len(place.jobs()) == 1

    place.annotate("retry-at", "now")

    place.wait("UpToDate")
    assert place.message() == "Job shop/2 applied 1 revision in SECONDS: a2. The database is at revision a2."
    assert place.status()["lastHandledRetryAt"] == "now"


def test_database_is_read_again_when_asked(place: Place) -> None:
    place.reach("plain", "a3")
    place.execute("DROP INDEX orders_note")
    place.execute("UPDATE alembic_version SET version_num = 'a2'")

    place.annotate("reconcile-at", "now")

    place.wait("UpToDate", message="Warning")
    assert place.message() == (
        'Job shop/3 applied 1 revision in SECONDS: a3. The database is at revision a3. Warning: "a3" (a3.py) was '
        "applied before and reverted outside the operator; applying it again."
    )
    assert place.status()["lastHandledReconcileAt"] == "now"


def test_run_without_enough_memory_is_told_and_more_memory_helps(place: Place) -> None:
    little = {"resources": {"limits": {"memory": "96Mi"}}}
    place.apply("greedy", "a2", retry={"limit": 1, "backoff": "1s"}, job=little)

    status = place.wait("RetriesExceeded")

    assert place.conditions() == {"Ready": ("False", "RetriesExceeded"), "Stalled": ("True", "RetriesExceeded")}
    assert place.message() == (
        "Gave up after 2 failed runs (spec.retry.limit 1). Last failure: Job shop/3 ran out of memory and was killed. "
        "Raise spec.job.resources.limits.memory."
        f" {STALLED}"
    )
    assert (status["current"], place.revisions()) == ("a1", ["a1"])
    place.patch(job={"resources": {"limits": {"memory": "640Mi"}}})
    place.wait("UpToDate")
    assert place.rows("SELECT id FROM orders") == [(2**28,)]


def test_quota_for_pods_is_told_and_its_raise_is_enough(place: Place) -> None:
    place.set_quota(pods="0")
    place.apply("plain", "a1")

    place.wait("JobRefused")

    assert place.conditions() == {"Ready": ("False", "JobRefused"), "Reconciling": ("True", RETRYING)}
    assert place.message() == (
        'The API server refused to create the pod of Job shop/1: Error creating: pods "POD shop/1" is forbidden: '
        "exceeded "
        "quota: none, requested: pods=1, used: pods=0, limited: pods=0. Raise the quota, or change spec.job or the "
        "policy that rejects it; the operator retries automatically."
    )
    place.lift_quota()
    place.wait("UpToDate", timeout=180)  # the Job controller tries again at growing intervals


def test_quota_for_jobs_is_told_and_its_raise_is_enough(place: Place) -> None:
    place.set_quota(**{"count/jobs.batch": "0"})
    place.apply("plain", "a1")

    place.wait("JobRefused")

    assert place.conditions() == {"Ready": ("False", "JobRefused"), "Reconciling": ("True", RETRYING)}
    assert place.message() == (
        'The API server refused to create the Job: jobs.batch "shop/1" is forbidden: exceeded quota: none, requested: '
        "count/jobs.batch=1, used: count/jobs.batch=0, limited: count/jobs.batch=0 (403). Raise the quota, or change "
        "spec.job or the policy that rejects it; the operator retries automatically. Next attempt at TIME."
    )
    place.lift_quota()
    place.wait("UpToDate")


def test_pod_that_fits_on_no_node_is_told(place: Place) -> None:
    place.apply("plain", "a1", job={"nodeSelector": {"kind": "large"}})

    place.wait("Unschedulable")

    assert place.conditions() == {"Ready": ("False", "Unschedulable"), "Reconciling": ("True", RETRYING)}
    assert place.message() == (
        "Pod POD shop/1 cannot be scheduled: 0/1 nodes are available: 1 node(s) didn't match Pod's node "
        "affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not "
        "helpful for scheduling. Lower spec.job.resources, or change spec.job.nodeSelector or tolerations."
    )
    place.patch(job=None)
    place.wait("UpToDate")
