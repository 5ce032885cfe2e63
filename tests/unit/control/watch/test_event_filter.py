"""Which events are worth a look: what a settled resource costs, and what must not be slept through."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.control.queue import Key
from alembic_operator.control.watch.event_filter import EventFilter

SHOP = Key("shop", "shop")
SETTLED = [r for r in Reason if r.reason_class in (ReasonClass.OK, ReasonClass.HELD, ReasonClass.STOP)]
UNSETTLED = [r for r in Reason if r not in SETTLED]
WAITS = Reason.AWAITING_APPROVAL
PEOPLE = (WAITS, Reason.PLAN_REJECTED)
RUN = {"job": "shop-1", "kind": "Apply"}


def schema(reason: str = "UpToDate", name: str = "shop", **more: Any) -> dict[str, Any]:
    """A DatabaseSchema; `more` are fields of its status, `annotations`, or `generation`."""
    meta: dict[str, Any] = {"namespace": "shop", "name": name, "uid": f"uid-{name}", "generation": 1}
    meta["annotations"] = {f"alembic-operator.dev/{key}": value for key, value in more.pop("annotations", {}).items()}
    meta["generation"] = more.pop("generation", 1)
    ready = [{"type": "Ready", "status": "X", "reason": reason}] if reason else []
    return {"metadata": meta, "status": {"observedGeneration": 1, "conditions": ready, **more}}


def job(name: str = "shop-1", condition: str = "", uid: str = "uid-shop", owner: str | None = None) -> dict[str, Any]:
    """A Job; `owner` is the uid of its controller where that is not the resource of its label, "" for none."""
    conditions = [{"type": condition, "status": "True"}] if condition else []
    labels = {"alembic-operator.dev/schema-uid": uid} if uid else {}
    owners = [{"uid": uid if owner is None else owner, "controller": True}]
    meta = {"name": name, "labels": labels, "ownerReferences": owners if owners[0]["uid"] else []}
    return {"metadata": meta, "status": {"conditions": conditions}}


def pod(state: dict[str, Any], name: str = "shop-1", uid: str = "uid-shop", **status: Any) -> dict[str, Any]:
    labels = {"alembic-operator.dev/schema-uid": uid, "batch.kubernetes.io/job-name": name}
    statuses = [{"name": "migration", "state": state}]
    meta = {"name": "p", "uid": f"uid-of-{name}", "labels": labels}
    return {"metadata": meta, "status": {"containerStatuses": statuses, **status}}


def knowing(*raws: dict[str, Any]) -> EventFilter:
    event_filter = EventFilter()
    for raw in raws:
        event_filter.schema(None, raw)
    return event_filter


# Resources


@pytest.mark.parametrize("reason", SETTLED, ids=lambda reason: reason.value)
@pytest.mark.parametrize("event", [None, "ADDED", "MODIFIED"])
def test_resource_is_left_alone_when_it_is_settled(reason: Reason, event: str | None) -> None:
    unless = [SHOP] if event is None and reason in PEOPLE else []  # who may have decided, or withdrawn it, before
    assert EventFilter().schema(event, schema(reason.value)) == unless


def plan(name: str = "shop-1a2b3c4d", generation: int = 2) -> dict[str, Any]:
    labels = {"alembic-operator.dev/schema-uid": "uid-shop"}
    return {"metadata": {"name": name, "labels": labels, "generation": generation}}


@pytest.mark.parametrize("reason", [WAITS, Reason.PLAN_REJECTED, Reason.PLANNING], ids=lambda reason: reason.value)
@pytest.mark.parametrize(("event", "generation"), [("MODIFIED", 2), ("ADDED", 2), (None, 2), ("DELETED", 1)])
def test_resource_is_looked_at_when_its_plan_was_decided_or_deleted(
    reason: Reason, event: str | None, generation: int
) -> None:
    event_filter = knowing(schema(reason.value, plan={"name": "shop-1a2b3c4d"}))
    assert event_filter.plan(event, plan(generation=generation)) == [SHOP]


@pytest.mark.parametrize(
    ("reason", "event", "raw"),
    [
        (WAITS, "MODIFIED", plan(generation=1)),
        (WAITS, None, plan(generation=1)),
        (WAITS, "MODIFIED", plan("shop-an-older-one")),
        (WAITS, "DELETED", plan("shop-an-older-one")),
        (Reason.UP_TO_DATE, "MODIFIED", plan()),
        (Reason.UP_TO_DATE, "DELETED", plan()),
    ],
    ids=["our own status", "the listing", "an older plan", "an older one is deleted", "applied", "pruned"],
)
def test_resource_is_left_alone_when_a_plan_changes_nothing_for_it(
    reason: Reason, event: str | None, raw: dict[str, Any]
) -> None:
    assert knowing(schema(reason.value, plan={"name": "shop-1a2b3c4d"})).plan(event, raw) == []


@pytest.mark.parametrize("reason", UNSETTLED, ids=lambda reason: reason.value)
def test_resource_is_looked_at_after_a_restart_when_it_is_not_settled(reason: Reason) -> None:
    assert EventFilter().schema(None, schema(reason.value)) == [SHOP]


@pytest.mark.parametrize(
    "raw",
    [
        schema(""),
        schema("FromTheFuture"),
        schema(generation=2),
        schema(run=RUN),
        schema(annotations={"reconcile-at": "1"}),
        schema(annotations={"retry-at": "2"}, lastHandledRetryAt="1"),
        {"metadata": {**schema()["metadata"]}},
    ],
    ids=["no condition", "unknown reason", "new spec", "running", "reconcile-at", "retry-at", "no status"],
)
def test_resource_is_looked_at_when_something_is_asked_for(raw: dict[str, Any]) -> None:
    assert EventFilter().schema(None, raw) == [SHOP]


@pytest.mark.parametrize("token", ["1", "t" * 400], ids=["short", "long"])
def test_resource_is_left_alone_when_its_annotations_were_answered(token: str) -> None:
    raw = schema(annotations={"reconcile-at": token, "retry-at": token})
    raw["status"] |= {"lastHandledReconcileAt": token[:253], "lastHandledRetryAt": token[:253]}
    assert EventFilter().schema(None, raw) == []


def test_nothing_is_enqueued_when_the_operator_starts_with_a_thousand_settled_resources() -> None:
    event_filter = EventFilter()
    reasons = [reason.value for reason in SETTLED if reason not in PEOPLE]
    raws = [schema(reasons[number % len(reasons)], name=f"s{number}") for number in range(1000)]
    assert [key for raw in raws for key in event_filter.schema(None, raw)] == []
    assert sum(event_filter.by_reason().values()) == 1000
    assert event_filter.by_reason()["UpToDate"] > 30
    done = (
        (job(f"j{number}", "Complete", f"uid-s{number}"), pod({"terminated": {}}, f"j{number}", f"uid-s{number}"))
        for number in range(1000)
    )
    assert [
        key for ended, gone in done for key in (*event_filter.job(None, ended), *event_filter.pod(None, gone))
    ] == []


def test_our_own_write_is_no_news_when_it_comes_back_as_an_event() -> None:
    event_filter = EventFilter()
    fresh = schema("", observedGeneration=-1)
    assert event_filter.schema("ADDED", fresh) == [SHOP]
    written = schema("Migrating", run=RUN)
    event_filter.written(written)
    assert event_filter.schema("MODIFIED", written) == []


def test_other_changes_are_no_news_when_nothing_is_asked_for() -> None:
    event_filter = knowing(schema("Migrating", run=RUN))
    labelled = schema("Migrating", run=RUN)
    labelled["metadata"]["labels"] = {"team": "shop"}
    assert event_filter.schema("MODIFIED", labelled) == []


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 2},
        {"annotations": {"reconcile-at": "1"}},
        {"annotations": {"retry-at": "1"}},
        {"annotations": {"take-over": "1"}},
    ],
    ids=["spec", "reconcile-at", "retry-at", "take-over"],
)
def test_resource_is_looked_at_when_people_change_it_while_it_waits(change: dict[str, Any]) -> None:
    event_filter = knowing(schema("TargetOwned"))
    assert event_filter.schema("MODIFIED", schema("TargetOwned", **change)) == [SHOP]


def test_resource_is_left_alone_when_it_is_being_deleted() -> None:
    raw = schema("Migrating", run=RUN)
    raw["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    assert EventFilter().schema("MODIFIED", raw) == []


def test_losers_are_woken_when_the_winner_is_deleted() -> None:
    winner = schema(name="winner")
    owner = {"owner": {"uid": "uid-winner", "cluster": "c", "namespace": "shop", "name": "winner"}}
    event_filter = knowing(
        winner,
        schema("TargetOwned", name="a", **owner),
        schema("TargetOwned", name="b", **owner),
        schema("TargetOwned", name="c", owner={"uid": "another"}),
        schema("DatabaseUnreachable", name="d"),
    )
    assert event_filter.schema("DELETED", winner) == [Key("shop", "a"), Key("shop", "b")]
    assert "uid-winner" not in event_filter.uids()


# Jobs and pods


@pytest.mark.parametrize(
    ("event", "condition", "woken"),
    [
        ("MODIFIED", "Complete", True),
        ("MODIFIED", "Failed", True),
        ("DELETED", "", True),
        ("ADDED", "", False),
        ("MODIFIED", "SuccessCriteriaMet", False),
        ("MODIFIED", "Suspended", False),
    ],
)
def test_resource_is_looked_at_when_its_job_is_over(event: str, condition: str, woken: bool) -> None:
    event_filter = knowing(schema("Migrating", run=RUN))
    assert event_filter.job(event, job(condition=condition)) == ([SHOP] if woken else [])


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(job(uid="uid-other", owner="uid-shop"), id="another's label"),
        pytest.param(job(uid="", owner="uid-shop"), id="no label"),
        pytest.param(job(owner=""), id="no owner"),
    ],
)
def test_resource_is_looked_at_when_its_job_is_taken_from_it(taken: dict[str, Any]) -> None:
    event_filter = knowing(schema("Migrating", run=RUN))
    assert event_filter.job("MODIFIED", taken) == [SHOP]


STATES: dict[str, tuple[dict[str, Any], bool]] = {
    "creating": (pod({"waiting": {"reason": "ContainerCreating"}}), False),
    "initializing": (pod({"waiting": {"reason": "PodInitializing"}}), False),
    "no state": (pod({}), False),
    "running": (pod({"running": {}}), False),
    "ended": (pod({"terminated": {"exitCode": 0}}), True),
    "image": (pod({"waiting": {"reason": "ImagePullBackOff"}}), True),
    "a sidecar's image": (
        pod({}, initContainerStatuses=[{"name": "proxy", "state": {"waiting": {"reason": "ErrImagePull"}}}]),
        True,
    ),
    "a sidecar that ended": (
        pod({"running": {}}, initContainerStatuses=[{"name": "proxy", "state": {"terminated": {}}}]),
        False,
    ),
    "no node": (pod({}, conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]), True),
    "rejected": (pod({}, phase="Failed"), True),
}


@pytest.mark.parametrize("case", STATES)
def test_resource_is_looked_at_when_its_pod_has_something_to_tell(case: str) -> None:
    raw, woken = STATES[case]
    event_filter = knowing(schema("Migrating", run=RUN))
    assert event_filter.pod("MODIFIED", raw) == ([SHOP] if woken else [])


def test_end_of_a_run_is_told_once_when_its_sidecar_ends_after_it() -> None:
    event_filter = knowing(schema("Planning", run=RUN))
    ended = pod({"terminated": {"exitCode": 0}})
    both = pod({"terminated": {"exitCode": 0}}, initContainerStatuses=[{"name": "shadow", "state": {"terminated": {}}}])
    assert event_filter.pod("MODIFIED", ended) == [SHOP]
    assert event_filter.pod("MODIFIED", both) == []
    assert event_filter.pod("DELETED", both) == [SHOP]


def test_end_of_a_run_is_told_again_when_it_is_another_pods() -> None:
    event_filter = knowing(schema("Planning", run=RUN))
    assert event_filter.pod("MODIFIED", pod({"terminated": {}})) == [SHOP]
    event_filter.written(schema("Migrating", run={"job": "shop-2", "kind": "Apply"}))
    assert event_filter.pod("MODIFIED", pod({"terminated": {}}, "shop-2")) == [SHOP]


def test_end_of_a_run_is_told_when_it_was_not_waited_for_at_first() -> None:
    event_filter = knowing(schema("Migrating", run={"job": "shop-0", "kind": "Apply"}))
    assert event_filter.pod("MODIFIED", pod({"terminated": {}})) == []
    event_filter.written(schema("Migrating", run=RUN))
    assert event_filter.pod("MODIFIED", pod({"terminated": {}})) == [SHOP]


def test_resource_is_looked_at_when_its_pod_is_deleted() -> None:
    assert knowing(schema("Migrating", run=RUN)).pod("DELETED", pod({"running": {}})) == [SHOP]


def test_resource_is_looked_at_when_its_pod_runs_after_trouble() -> None:
    assert knowing(schema("ImagePullFailed", run=RUN)).pod("MODIFIED", pod({"running": {}})) == [SHOP]


def test_run_is_no_news_when_it_is_not_the_one_that_is_waited_for() -> None:
    event_filter = knowing(schema("Migrating", run=RUN))
    assert event_filter.job("MODIFIED", job("shop-0", "Complete")) == []
    assert event_filter.pod("MODIFIED", pod({"terminated": {}}, "shop-0")) == []


def test_run_is_news_when_none_is_known_of_an_unsettled_resource() -> None:
    event_filter = knowing(schema("", observedGeneration=-1))
    assert event_filter.pod("MODIFIED", pod({"terminated": {}})) == [SHOP]


@pytest.mark.parametrize("uid", ["", "uid-unknown"])
def test_pods_and_jobs_are_no_news_when_they_are_nobodys(uid: str) -> None:
    event_filter = knowing(schema("Migrating", run=RUN))
    assert event_filter.job("DELETED", job(uid=uid)) == []
    assert event_filter.pod("DELETED", pod({}, uid=uid)) == []
    bare: dict[str, Any] = {"metadata": {"name": "p"}}
    assert event_filter.pod("DELETED", bare) == event_filter.job("DELETED", bare) == []


# Gaps


def test_what_a_listing_no_longer_holds_is_forgotten() -> None:
    event_filter = knowing(schema(name="a"), schema(name="b"))
    event_filter.keep_only({"uid-a"})
    assert event_filter.uids() == {"uid-a"}
    assert event_filter.by_reason() == {"UpToDate": 1}
    assert event_filter.settled("uid-a")
    assert not event_filter.settled("uid-b")


def test_resource_is_looked_at_when_it_was_made_anew_during_a_gap() -> None:
    event_filter = knowing(schema())
    anew = schema("", observedGeneration=-1)
    anew["metadata"]["uid"] = "uid-2"
    assert event_filter.schema("MODIFIED", anew) == [SHOP]
