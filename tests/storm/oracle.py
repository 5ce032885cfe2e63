"""What must hold after the last fault: of each database at once, of resources and of what is left within a time."""

from __future__ import annotations

from typing import Any

from tests.e2e.installed.place import condition

from .fleet import UID, Fleet, Member, revision

NEEDS_A_PERSON = "Stalled"


def faults_of_databases(fleet: Fleet) -> list[str]:
    """Each revision ran as often as the version table says: once, or not at all."""
    return [fault for member in fleet.members for fault in _database_faults(member)]


def _database_faults(member: Member) -> list[str]:
    place = member.place
    tables = {row[0] for row in place.rows("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")}
    rows = place.revisions() if "alembic_version" in tables else []
    ran = [row[0] for row in place.rows("SELECT revision FROM ran ORDER BY 1")] if "ran" in tables else []
    last = int(rows[0][1:]) if rows else 0
    due = [revision(number) for number in range(1, last + 1)]
    made = sorted(name.removeprefix("t_") for name in tables if name.startswith("t_"))
    faults = []
    if len(rows) > 1:
        faults.append(f"{place.user}: the version table has the rows {rows}")
    if ran != due:
        faults.append(f"{place.user}: at {rows}, and these ran: {ran}")
    if made != due:
        faults.append(f"{place.user}: at {rows}, with the tables of {made}")
    return faults


def unfinished(fleet: Fleet) -> list[str]:
    """What is not at its end yet: resources that are not at their target, and what is left of those that are gone."""
    return [one for member in fleet.members for one in (*_resource(member), *_leftovers(member))]


def _resource(member: Member) -> list[str]:
    found, where = member.find(), member.place.namespace
    if not member.there:
        return [f"{where} is still there"] if found else []
    if found is None:
        return [f"{where} is not there"]
    status: dict[str, Any] = dict(found.get("status") or {})
    ready = condition(found, "Ready")
    at_target = status.get("current") == revision(member.target)
    if ready and ready["status"] == "True" and at_target and _is_decided(found, status):
        if member.place.revisions() == [revision(member.target)]:
            return []
        return [f"{where} says that it is at {status['current']}, and the database is at {member.place.revisions()}"]
    told = f"{ready.get('reason')} {ready.get('message', '')}" if ready else "nothing"
    counts = {key: status.get(key) for key in ("current", "attempts", "failures", "run")}
    return [f"{where}, wanted at {revision(member.target)}: {told} {counts}"]


def _is_decided(found: Any, status: dict[str, Any]) -> bool:
    return bool(status.get("observedGeneration") == found["metadata"]["generation"] and not status.get("run"))


def _leftovers(member: Member) -> list[str]:
    """What belongs to a resource that is gone: by its controller, or where it has none by its label."""
    found = member.find()
    alive = {found["metadata"]["uid"]} if found else set()
    jobs = member.ours("jobs")
    alive_jobs = {job["metadata"]["uid"] for job in jobs if {_owner(job), _label(job)} & alive}
    left = []
    for kind in ("jobs", "pods", "schemaplans", "configmaps"):
        for raw in member.ours(kind):
            meta = raw["metadata"]
            if _owner(raw) in alive | alive_jobs or (kind == "configmaps" and _label(raw) is None):
                continue
            if _owner(raw) is None and kind in ("jobs", "pods") and _label(raw) in alive:
                continue  # it was taken from the resource by a fault, and the resource is there
            left.append(f"{meta['namespace']}: {kind} {meta['name']} is left over")
    return left


def _label(raw: Any) -> str | None:
    label: str | None = (raw["metadata"].get("labels") or {}).get(UID)
    return label


def _owner(raw: Any) -> str | None:
    owners = raw["metadata"].get("ownerReferences") or ()
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)
