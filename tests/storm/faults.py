"""The faults: each does one thing to a part of the fleet that chance picks, and may say how it is undone."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.cluster import control_plane, daemons
from tests.cluster.instance import known
from tests.e2e.installed.api import Raw
from tests.e2e.installed.installation import process_of

from .fleet import LAST, NAME, UID, Fleet, Member

Undo = Callable[[], None]
Fault = Callable[[Fleet, random.Random], Undo | None]


class Nothing(Exception):
    """There is nothing at the moment that this fault could hit."""


def _member(fleet: Fleet, chance: random.Random) -> Member:
    there = [member for member in fleet.members if member.there]
    if not there:
        raise Nothing
    return chance.choice(there)


def _one(fleet: Fleet, chance: random.Random, kind: str) -> tuple[Member, str, Raw]:
    """One of the objects that the operator made, those that go on first."""
    found = [(member, raw) for member in fleet.members for raw in member.ours(kind)]
    going = [(member, raw) for member, raw in found if not _is_over(raw)]
    if not found:
        raise Nothing
    member, raw = chance.choice(going or found)
    return member, raw["metadata"]["name"], raw


def _is_over(raw: Raw) -> bool:
    status = raw.get("status") or {}
    return status.get("phase") in ("Succeeded", "Failed") or bool(status.get("conditions") and "phase" not in status)


# The operator


def kill_operator(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Kill -9, and its pod goes: what the kubelet adds of pauses between two starts is not ours."""
    leader = fleet.operator.leader()
    if not leader:
        raise Nothing
    fleet.operator.destroy(leader)
    return None


def stop_operator(fleet: Fleet, chance: random.Random) -> Undo | None:
    """SIGSTOP: it stands still, and goes on later in the belief that no time has passed."""
    leader = fleet.operator.leader()
    if not leader:
        raise Nothing
    return _stopped(fleet.operator.process(leader))


def _stopped(process: int) -> Undo:
    os.kill(process, signal.SIGSTOP)

    def go_on() -> None:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)

    return go_on


# Jobs and pods


def delete_job(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Somebody deletes a Job, in one of the three ways that kubectl knows."""
    member, name, _ = _one(fleet, chance, "jobs")
    cascade = chance.choice(("background", "foreground", "orphan"))
    member.place.kubectl("delete", "job", name, f"--cascade={cascade}", "--wait=false", "--ignore-not-found")
    return None


def delete_pod(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Somebody deletes a pod, with its grace or without."""
    member, name, _ = _one(fleet, chance, "pods")
    force = chance.choice(((), ("--grace-period=0", "--force")))
    member.place.kubectl("delete", "pod", name, "--wait=false", "--ignore-not-found", *force)
    return None


def kill_run(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Kill -9 a run's process."""
    os.kill(_process(fleet, chance), signal.SIGKILL)
    return None


def stop_run(fleet: Fleet, chance: random.Random) -> Undo | None:
    """SIGSTOP a run's process, in the middle of whatever it does."""
    return _stopped(_process(fleet, chance))


def _process(fleet: Fleet, chance: random.Random) -> int:
    _, _, pod = _one(fleet, chance, "pods")
    try:
        return process_of(pod, "migration")
    except (AssertionError, KeyError, StopIteration):
        raise Nothing from None


def relabel_job(fleet: Fleet, chance: random.Random) -> Undo | None:
    """A Job loses the label by which it is found, or gets another's."""
    _relabel(fleet, chance, "jobs")
    return None


def relabel_pod(fleet: Fleet, chance: random.Random) -> Undo | None:
    """A pod loses the label by which its run is found, or gets another's."""
    _relabel(fleet, chance, "pods")
    return None


def _relabel(fleet: Fleet, chance: random.Random, kind: str) -> None:
    member, name, _ = _one(fleet, chance, kind)
    label = chance.choice((f"{UID}-", f"{UID}=00000000-0000-4000-8000-000000000000"))
    member.place.kubectl("label", kind, name, "--overwrite", label)


def disown_job(fleet: Fleet, chance: random.Random) -> Undo | None:
    """A Job loses its owner, as by a tool that copies objects without their ownerReferences."""
    member, name, _ = _one(fleet, chance, "jobs")
    member.place.kubectl("patch", "job", name, "--type=merge", '--patch={"metadata":{"ownerReferences":null}}')
    return None


def delete_plan(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Somebody deletes a plan, or a ConfigMap with its SQL."""
    kind = chance.choice(("schemaplans", "configmaps"))
    member, name, _ = _one(fleet, chance, kind)
    member.place.kubectl("delete", kind, name, "--wait=false", "--ignore-not-found")
    return None


# The resource


def wipe_status(fleet: Fleet, chance: random.Random) -> Undo | None:
    """The status is gone, as after a restore from a backup."""
    member = _member(fleet, chance)
    member.place.kubectl("patch", "dbs", NAME, "--subresource=status", "--type=merge", '--patch={"status":null}')
    return None


def suspend(fleet: Fleet, chance: random.Random) -> Undo | None:
    """The resource is suspended, and later not."""
    member = _member(fleet, chance)
    member.place.patch(suspend=True)

    def resume() -> None:
        if member.there:
            member.place.patch(suspend=False)

    return resume


def change_revision(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Another revision is wanted."""
    member = _member(fleet, chance)
    if member.target >= LAST - 3:
        raise Nothing
    member.target += chance.randint(1, 3)
    member.put()
    return None


def delete_resource(fleet: Fleet, chance: random.Random) -> Undo | None:
    """The resource is deleted, with or without what it owns; mostly it is made again under its name."""
    member = _member(fleet, chance)
    cascade, for_good = chance.choice(("background", "foreground", "orphan")), chance.random() < 0.2
    member.place.kubectl("delete", "dbs", NAME, f"--cascade={cascade}", "--ignore-not-found", "--timeout=60s")
    member.there = False
    if for_good:
        return None
    return member.put


# Servers and connections


def end_backends(fleet: Fleet, chance: random.Random) -> Undo | None:
    """pg_terminate_backend for every session of a database."""
    member = chance.choice(fleet.members)
    with fleet.server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [member.place.user]
        )
    return None


def crash_server(fleet: Fleet, chance: random.Random) -> Undo | None:
    """The database server ends at once, and recovers when it starts again."""
    pid = int((fleet.server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)

    def start() -> None:
        fleet.server.stop()
        fleet.server.start()

    return start


def crash_api_server(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Kill -9 the API server; later it starts again as it was."""
    instance = known(fleet.cluster.name)
    pid = daemons.process_of(fleet.cluster.name, "kube-apiserver")
    if instance is None or pid is None:
        raise Nothing
    command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    os.kill(pid, signal.SIGKILL)

    def start() -> None:
        daemons.start(instance, "kube-apiserver", list(command))
        control_plane.wait_for_api(instance)

    return start


def cut_connections(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Every connection to the server is reset, now or after some more bytes."""
    if chance.random() < 0.5:
        fleet.proxy.cut()
    else:
        fleet.proxy.cut_after(chance.randint(1, 20_000))
    return None


def hold_connections(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Nothing comes through, and nobody is told."""
    fleet.proxy.hold()
    return fleet.proxy.release


def refuse_connections(fleet: Fleet, chance: random.Random) -> Undo | None:
    """Nobody can connect anew."""
    fleet.proxy.refuse()
    return fleet.proxy.accept


# With how often each comes, against the others.
FAULTS: dict[Fault, int] = {
    change_revision: 8,
    kill_operator: 3,
    stop_operator: 2,
    delete_job: 3,
    delete_pod: 3,
    kill_run: 3,
    stop_run: 2,
    relabel_job: 2,
    relabel_pod: 2,
    disown_job: 2,
    delete_plan: 2,
    wipe_status: 3,
    suspend: 2,
    delete_resource: 4,
    end_backends: 3,
    crash_server: 1,
    crash_api_server: 1,
    cut_connections: 3,
    hold_connections: 1,
    refuse_connections: 1,
}
