"""Where the in-memory cluster keeps its objects: versions, watches, owners, requests and faults."""

from __future__ import annotations

import pickle
import uuid
from asyncio import Event, sleep
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alembic_operator.cluster.errors import AlreadyExists, ClusterError, Conflict, NotFound

Object = dict[str, Any]
Watcher = Callable[[str | None, Mapping[str, Any]], None]

WRITES = {"create", "update", "patch", "delete"}
KINDS = {
    "databaseschemas": ("alembic-operator.dev/v1alpha1", "DatabaseSchema"),
    "schemaplans": ("alembic-operator.dev/v1alpha1", "SchemaPlan"),
    "namespaces": ("v1", "Namespace"),
    "jobs": ("batch/v1", "Job"),
    "pods": ("v1", "Pod"),
    "events": ("v1", "Event"),
    "configmaps": ("v1", "ConfigMap"),
    "leases": ("coordination.k8s.io/v1", "Lease"),
}


def copied(item: Mapping[str, Any]) -> Object:
    """A copy of all of it. `deepcopy` is no C, and was a fifth of what the control loop's tests did."""
    copy: Object = pickle.loads(pickle.dumps(dict(item), pickle.HIGHEST_PROTOCOL))  # noqa: S301 - our own
    return copy


class Crash(BaseException):
    """The operator's process ends here. No handler of errors catches it."""


@dataclass(frozen=True)
class Request:
    """One request of the operator, in the words of Kubernetes' access control."""

    verb: str
    resource: str
    namespace: str
    name: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes something; renewing the Lease does not count."""
        return self.verb in WRITES and self.resource != "leases"


@dataclass
class Fault:
    """What is to happen to a request, `times` times."""

    verb: str
    resource: str
    error: ClusterError | type[ClusterError]
    times: int
    after: bool

    def raised(self, request: Request) -> ClusterError:
        """The error to raise."""
        if isinstance(self.error, ClusterError):
            return self.error
        return self.error(f"{request.verb} {request.resource} {request.namespace}/{request.name}", "injected")


class Store:
    """Objects by resource, namespace and name. Nothing here costs a request but what goes through `_request`."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.requests: list[Request] = []
        self.deaf = False  # a gap in the watches: nothing is delivered, nor later
        self._now = now
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._version = 0
        self._logs: dict[tuple[str, str], list[str]] = {}
        self._watchers: list[tuple[str, Watcher]] = []
        self._faults: list[Fault] = []
        self._awaited: list[tuple[str, str, Event]] = []
        self._crash: tuple[int, bool] | None = None

    def writes(self) -> list[Request]:
        """The requests that changed something, but the Lease's."""
        return [request for request in self.requests if request.writes]

    async def asked(self, verb: str, resource: str) -> None:
        """Wait for the next request of that kind."""
        event = Event()
        self._awaited.append((verb, resource, event))
        await event.wait()

    def watch(self, resource: str, callback: Watcher) -> None:
        """Deliver as kopf does: type None for what is there already, then ADDED, MODIFIED, DELETED."""
        for item in self.all(resource):
            callback(None, copied(item))
        self._watchers.append((resource, callback))

    def crash(self, effect: int, *, after: bool = False) -> None:
        """Crash before, or right after, the n-th write from now on, counted from 1; the Lease does not count."""
        self._crash = (effect, after)

    def fail(
        self,
        verb: str,
        resource: str,
        error: ClusterError | type[ClusterError],
        times: int = 1,
        *,
        after: bool = False,
    ) -> None:
        """Let the next requests of that kind fail; with `after` they have their effect, and the answer is lost."""
        self._faults.append(Fault(verb, resource, error, times, after))

    def calm(self) -> None:
        """No request fails any more, and nothing crashes."""
        self._faults.clear()
        self._crash = None

    def relist(self) -> None:
        """Deliver what is there, as kopf does after a gap in the watches; what went is not told."""
        for resource, callback in self._watchers:
            for item in self.all(resource):
                callback(None, item)

    def take_over(self, other: Store) -> None:
        """Have every object of another store too; nobody is told."""
        self._objects.update(other._objects)

    def stamp(self) -> str:
        """Now, as Kubernetes writes it."""
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def _request(self, verb: str, resource: str, namespace: str, name: str = "") -> Request:
        await sleep(0)  # as over a network, others run meanwhile
        request = Request(verb, resource, namespace, name)
        self.requests.append(request)
        for awaited_verb, awaited_resource, event in self._awaited:
            if (verb, resource) == (awaited_verb, awaited_resource):
                event.set()
        self._strike(request, after=False)
        return request

    @contextmanager
    def _effect(self, request: Request) -> Iterator[None]:
        """Around the change that a write makes."""
        if self._crash and request.writes:
            left, after = self._crash
            self._crash = (left - 1, after)
            if left == 1 and not after:
                self._crash = None
                raise Crash(f"before {request}")
        yield
        if self._crash and request.writes and self._crash[0] == 0:
            self._crash = None
            raise Crash(f"after {request}")
        self._strike(request, after=True)

    def _strike(self, request: Request, *, after: bool) -> None:
        for fault in self._faults:
            if fault.times and (fault.verb, fault.resource, fault.after) == (request.verb, request.resource, after):
                fault.times -= 1
                raise fault.raised(request)

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._objects.get((resource, namespace, name))

    def read(self, resource: str, namespace: str, name: str) -> Object:
        found = self.find(resource, namespace, name)
        if found is None:
            where = f"{namespace}/{name}" if namespace else name
            raise NotFound(f"read {KINDS[resource][1]} {where}", f'{resource} "{name}" not found')
        return copied(found)

    def all(self, resource: str, namespace: str = "") -> list[Object]:
        return [
            copied(item)
            for (of, within, _), item in sorted(self._objects.items())
            if of == resource and namespace in ("", within)
        ]

    def add(self, resource: str, namespace: str, body: Mapping[str, Any], uid: str = "") -> Object:
        """Store a new object, with what the API server adds to it. Raises AlreadyExists."""
        api_version, kind = KINDS[resource]
        item = copied(body) | {"apiVersion": api_version, "kind": kind}
        head = item["metadata"] = dict(item.get("metadata") or {})
        if not head.get("name"):
            head["name"] = head["generateName"] + uuid.uuid4().hex[:5]
        key = (resource, namespace, head["name"])
        if key in self._objects:
            raise AlreadyExists(
                f"create {kind} {namespace}/{head['name']}", f'{resource} "{head["name"]}" already exists'
            )
        if namespace:
            head["namespace"] = namespace
        head |= {"uid": uid or str(uuid.uuid4()), "creationTimestamp": self.stamp(), "generation": 1}
        self._store(key, item, "ADDED")
        return copied(item)

    def change(self, resource: str, item: Object) -> Object:
        """Store another state of an object; one that is the same changes no version and wakes nobody."""
        key = (resource, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        before = self._objects[key]
        if before["metadata"]["uid"] != item["metadata"]["uid"]:
            raise Conflict(f"change {resource} {key[1]}/{key[2]}", "another uid")
        if before != item:
            self._store(key, copied(item), "MODIFIED")
        return copied(self._objects[key])

    def drop(self, resource: str, namespace: str, name: str) -> None:
        """Remove an object, then what it owns."""
        item = self._objects.pop((resource, namespace, name))
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._deliver(resource, "DELETED", item)
        for (of, within, inner), other in list(self._objects.items()):
            owners = other["metadata"].get("ownerReferences") or ()
            if within == namespace and any(owner["uid"] == item["metadata"]["uid"] for owner in owners):
                self.drop(of, within, inner)

    def _store(self, key: tuple[str, str, str], item: Object, event: str) -> None:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._objects[key] = item
        self._deliver(key[0], event, item)

    def _deliver(self, resource: str, event: str, item: Object) -> None:
        if self.deaf:
            return
        for of, callback in self._watchers:
            if of == resource:
                callback(event, copied(item))
