"""Which watch events are worth a look: the filter before the queue.

What it remembers are hints from events and from our own writes, never facts: a wrong hint costs a needless read, or a
look that comes late, by the due time that every unfinished resource has in the queue. A settled resource is never
looked at because of its own status, its Jobs or their pods; so a restart with thousands of them reads the list and no
more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.controller import controller_of
from alembic_operator.contract import job_env
from alembic_operator.contract.reasons import Reason, ReasonClass
from alembic_operator.control.queue import Key
from alembic_operator.core.model.glance import glance
from alembic_operator.core.model.observed import end_of

Raw = Mapping[str, Any]

JOB_NAME = "batch.kubernetes.io/job-name"
_SETTLED = {ReasonClass.OK, ReasonClass.HELD, ReasonClass.STOP}
_WAITS_FOR_PEOPLE = {Reason.AWAITING_APPROVAL.value, Reason.PLAN_REJECTED.value}
_QUIET = {"", "ContainerCreating", "PodInitializing"}


@dataclass(frozen=True)
class _Hint:
    key: Key
    wish: tuple[Any, ...]
    settled: bool
    run: str
    starting_badly: bool
    owner: str
    reason: str
    plan: str


class EventFilter:
    """The hints, by uid of the DatabaseSchema."""

    def __init__(self) -> None:
        self._hints: dict[str, _Hint] = {}
        self._ended: dict[str, str] = {}  # the pod whose end was told last

    def schema(self, event: str | None, raw: Raw) -> list[Key]:
        """The keys to look at after an event of a DatabaseSchema; `event` is None for the initial listing."""
        uid = raw["metadata"]["uid"]
        if event == "DELETED":
            self._forget(uid)
            # Whoever lost the database to this resource may have it now.
            return [hint.key for hint in self._hints.values() if hint.owner == uid]
        before, hint = self._hints.get(uid), _hint(raw)
        self._hints[uid] = hint
        # At the start nobody knows whether the decision that it waits for was made, or withdrawn, in the meantime.
        waits = event is None and hint.reason in _WAITS_FOR_PEOPLE
        if (hint.settled and not waits) or "deletionTimestamp" in raw["metadata"]:
            return []
        # Our own status writes come back as events, and change nothing that was asked for.
        echo = event == "MODIFIED" and before is not None and before.wish == hint.wish
        return [] if echo else [hint.key]

    def written(self, raw: Raw) -> None:
        """Our own write of a status: the object as it is now."""
        self._hints[raw["metadata"]["uid"]] = _hint(raw)

    def job(self, event: str | None, raw: Raw) -> list[Key]:
        """The keys to look at after an event of a Job: it has ended, is gone, or was taken from its resource."""
        meta, ended = raw["metadata"], bool(end_of(raw))
        label = (meta.get("labels") or {}).get(names.LABEL_UID, "")
        owner = (controller_of(raw) or {}).get("uid", "")
        if not ended and event != "DELETED" and label == owner:
            return []
        return self._of_run(owner or label, meta["name"])

    def pod(self, event: str | None, raw: Raw) -> list[Key]:
        """The keys to look at after an event of a pod.

        The end of a run is told once: its sidecar ends after it, and would cost a look that finds nothing new.
        """
        labels, uid = raw["metadata"].get("labels") or {}, raw["metadata"].get("uid", "")
        schema = labels.get(names.LABEL_UID, "")
        hint = self._hints.get(schema)
        if hint is None or not (event == "DELETED" or _telling(raw, hint)):
            return []
        ended = "terminated" in _migration(raw)
        if event != "DELETED" and ended and self._ended.get(schema) == uid:
            return []
        keys = self._of_run(schema, labels.get(JOB_NAME, ""))
        if keys and ended:
            self._ended[schema] = uid
        return keys

    def plan(self, event: str | None, raw: Raw) -> list[Key]:
        """The keys to look at after an event of a SchemaPlan: it is gone, or somebody has decided.

        A plan's generation is 1 until its decision is written; its status, which is ours, does not raise it. After a
        gap of the watch the decision comes in a listing.
        """
        meta = raw["metadata"]
        if event != "DELETED" and meta.get("generation", 1) < 2:
            return []
        hint = self._hints.get((meta.get("labels") or {}).get(names.LABEL_UID, ""))
        if hint is None or (hint.settled and (hint.reason not in _WAITS_FOR_PEOPLE or hint.plan != meta["name"])):
            return []
        return [hint.key]

    def keep_only(self, uids: set[str]) -> None:
        """Forget what a full listing no longer holds: kopf does not tell of deletions during a gap of its watch."""
        for uid in self._hints.keys() - uids:
            self._forget(uid)

    def uids(self) -> set[str]:
        """Every DatabaseSchema that is known."""
        return set(self._hints)

    def settled(self, uid: str) -> bool:
        """Whether the resource is known to want nothing."""
        hint = self._hints.get(uid)
        return hint is not None and hint.settled

    def by_reason(self) -> Mapping[str, int]:
        """How many resources have which reason of Ready."""
        return Counter(hint.reason for hint in self._hints.values())

    def _forget(self, uid: str) -> None:
        self._hints.pop(uid, None)
        self._ended.pop(uid, None)

    def _of_run(self, schema: str, job: str) -> list[Key]:
        hint = self._hints.get(schema)
        if hint is None or hint.settled or (hint.run and hint.run != job):
            return []
        return [hint.key]


def _hint(raw: Raw) -> _Hint:
    meta, seen = raw["metadata"], glance(raw)
    annotations = meta.get("annotations") or {}
    reason_class = seen.reason.reason_class if seen.reason is not None else None
    return _Hint(
        key=Key(meta["namespace"], meta["name"]),
        wish=(seen.generation, seen.tokens, annotations.get(names.ANNOTATION_TAKE_OVER, "")),
        settled=seen.decided and seen.answered and not seen.runs and reason_class in _SETTLED,
        run=seen.job,
        starting_badly=seen.runs and reason_class is ReasonClass.WAIT,
        owner=seen.owner,
        reason=seen.ready,
        plan=seen.plan,
    )


def _telling(raw: Raw, hint: _Hint) -> bool:
    """Whether a pod's state says something about its run: an end, trouble at the start, or the end of such trouble."""
    status = raw.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    if any(((c.get("state") or {}).get("waiting") or {}).get("reason", "") not in _QUIET for c in containers):
        return True
    state = _migration(raw)
    if "terminated" in state or (hint.starting_badly and "running" in state):
        return True
    scheduled = (c for c in status.get("conditions") or () if c["type"] == "PodScheduled")
    return status.get("phase") == "Failed" or any(c.get("reason") == "Unschedulable" for c in scheduled)


def _migration(raw: Raw) -> Raw:
    """The state of the container that migrates."""
    containers = (raw.get("status") or {}).get("containerStatuses") or ()
    found: Raw = next((c for c in containers if c["name"] == job_env.CONTAINER), {})
    return found.get("state") or {}
