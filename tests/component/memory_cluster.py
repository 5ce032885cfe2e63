"""The cluster port in memory, with the API server's semantics; the same suite (cluster/contract.py) holds both to them.

Every verb yields once to the event loop, as over a network. `requests` is the log; faults and crashes are `Store`'s,
pods and outcomes of Jobs `Kubelet`'s, and what people do with resources `People`'s.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.component import memory_schema
from tests.component.memory_kubelet import CONTROLLER_UID, JOB_NAME
from tests.component.memory_people import People
from tests.component.memory_store import KINDS, Crash, Object, Request, copied

from alembic_operator.cluster.errors import Conflict, Gone, NotFound, Refused
from alembic_operator.cluster.port import Kind, Page, Raw
from alembic_operator.cluster.resources import RESOURCES

__all__ = ["Crash", "MemoryCluster", "Request"]

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
CONFIG_MAP_LIMIT = 1 << 20
CHANGED = "the object has been modified; please apply your changes to the latest version and try again"


class MemoryCluster(People):
    """Implements `port.Cluster`. Begins with the namespaces `default` and `kube-system`."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(now)
        self.serves = True  # whether the CRD is installed
        self._tokens = 0  # tokens of older generations have expired
        self.add_namespace("default")
        self.add_namespace("kube-system")

    def expire_tokens(self) -> None:
        """Open page tokens are gone."""
        self._tokens += 1

    async def serves_schemas(self) -> bool:
        """See the port."""
        await self._request("get", "apis", "")
        return self.serves

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw:
        """See the port."""
        resource = RESOURCES[kind].plural
        await self._request("get", resource, namespace, name)
        return self.read(resource, namespace, name)

    async def page(
        self, kind: Kind, namespace: str, limit: int, token: str = "", *, labels: str = "", metadata: bool = False
    ) -> Page:
        """See the port. The selector is `key=value`, with commas between."""
        wanted = _selected(labels)
        page = await self._page(
            RESOURCES[kind].plural, namespace, limit, token, lambda item: wanted.items() <= _labels(item).items()
        )
        if not metadata:
            return page
        return Page(tuple({"metadata": item["metadata"]} for item in page.items), page.token)

    async def list_all(self, kind: Kind, namespace: str, *, labels: str = "", fields: str = "") -> tuple[Raw, ...]:
        """See the port."""
        resource = RESOURCES[kind].plural
        await self._request("list", resource, namespace)
        wanted, (path, _, value) = _selected(labels), fields.partition("=")
        found = [item for item in self.all(resource, namespace) if wanted.items() <= _labels(item).items()]
        return tuple(item for item in found if not fields or _field(item, path) == value)

    async def create(self, kind: Kind, namespace: str, body: Raw) -> Raw:
        """See the port."""
        resource = RESOURCES[kind].plural
        request = await self._request("create", resource, namespace, body["metadata"].get("name", ""))
        with self._effect(request):
            self._check_new(resource, namespace, body, longest=63 if kind is Kind.JOB else 253)
            if misfit := _misfit(kind, namespace, body):
                raise Refused(f"create {kind.value}", misfit)
            created = self._add_job(namespace, body) if kind is Kind.JOB else self.add(resource, namespace, body)
        return created

    async def replace(self, kind: Kind, namespace: str, name: str, body: Raw) -> Raw:
        """See the port."""
        resource = RESOURCES[kind].plural
        action = f"replace {kind.value} {namespace}/{name}"
        request = await self._request("update", resource, namespace, name)
        with self._effect(request):
            version = body["metadata"].get("resourceVersion")
            if not self.find(resource, namespace, name):
                return self.add(resource, namespace, body)
            item = self.read(resource, namespace, name)
            if not version:
                raise Refused(action, "metadata.resourceVersion: Invalid value: must be specified for an update")
            if version != item["metadata"]["resourceVersion"]:
                raise Conflict(action, CHANGED)
            replaced = self.change(resource, item | {"spec": dict(body["spec"])})
        return replaced

    async def apply_status(
        self, kind: Kind, namespace: str, name: str, status: Raw, *, uid: str = "", version: str = ""
    ) -> Raw:
        """See the port. We are the only manager, so what an apply does not name goes."""
        resource = RESOURCES[kind].plural
        action = f"write the status of {kind.value} {namespace}/{name}"
        request = await self._request("patch", f"{resource}/status", namespace, name)
        with self._effect(request):
            item = self.read(resource, namespace, name)
            if version and version != item["metadata"]["resourceVersion"]:
                raise Conflict(action, CHANGED)
            if misfit := memory_schema.misfit(status, memory_schema.part("status", resource), "status"):
                raise Refused(action, misfit)
            item["status"] = json.loads(json.dumps(status))
            changed = self.change(resource, item)
        return changed

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """See the port."""
        resource = RESOURCES[kind].plural
        request = await self._request("delete", resource, namespace, name)
        with self._effect(request):
            found = self.find(resource, namespace, name)
            if found and found["metadata"]["uid"] == uid:
                if kind is Kind.JOB:
                    self.delete_job(namespace, name)
                else:
                    self.drop(resource, namespace, name)

    async def read_log(self, namespace: str, pod: str, container: str, lines: int | None = None) -> str:
        """See the port."""
        await self._request("get", "pods/log", namespace, pod)
        action = f"read the log of {container} in Pod {namespace}/{pod}"
        found = self.read("pods", namespace, pod)
        states = {each["name"]: each["state"] for each in found["status"].get("containerStatuses", ())}
        if container not in [each["name"] for each in found["spec"]["containers"]]:
            raise Refused(action, f"container {container} is not valid for pod {pod}")
        if "waiting" in states.get(container, {}):
            raise Refused(action, f'container "{container}" in pod "{pod}" is waiting to start')
        tail = self._logs.get((namespace, pod), [])[-(lines or 0) :]
        return "".join(f"{line}\n" for line in tail)

    def _add_job(self, namespace: str, body: Raw) -> Object:
        uid = str(uuid.uuid4())
        item = copied(body) | {"status": {}}
        template = item["spec"]["template"]
        template.setdefault("metadata", {}).setdefault("labels", {}).update(
            {CONTROLLER_UID: uid, JOB_NAME: item["metadata"]["name"]}
        )
        item["spec"]["selector"] = {"matchLabels": {CONTROLLER_UID: uid}}
        return self.add("jobs", namespace, item, uid)

    async def _page(
        self, resource: str, namespace: str, limit: int, token: str, fits: Callable[[Object], bool]
    ) -> Page:
        await self._request("list", resource, namespace)
        tokens, last = json.loads(base64.b64decode(token)) if token else (self._tokens, ["", ""])
        if tokens != self._tokens:
            raise Gone(f"list {resource}", "The provided continue parameter is too old")
        rest = [item for item in self.all(resource, namespace) if fits(item) and _place(item) > last]
        more = len(rest) > limit
        after = json.dumps([self._tokens, _place(rest[limit - 1])]).encode() if more else b""
        return Page(tuple(rest[:limit]), base64.b64encode(after).decode())

    def _namespace(self, name: str) -> None:
        if self.find("namespaces", "", name) is None:
            raise NotFound(f"create in namespace {name}", f'namespaces "{name}" not found')

    def _check_new(self, resource: str, namespace: str, body: Raw, longest: int = 253) -> None:
        """What the API server refuses of any new object."""
        self._namespace(namespace)
        kind = KINDS[resource][1]
        head: Mapping[str, Any] = body["metadata"]
        name = head.get("name") or head["generateName"] + "x"
        if head.get("namespace", namespace) != namespace:
            raise Refused(f"create {kind} {name}", "the namespace of the provided object does not match the request")
        if len(name) > longest or not SUBDOMAIN.fullmatch(name):
            raise Refused(f"create {kind} {namespace}/{name}", f'{kind} "{name}" is invalid: metadata.name')


def _misfit(kind: Kind, namespace: str, body: Raw) -> str | None:
    """What the API server refuses of an object of this kind; "" for nothing."""
    if kind is Kind.PLAN:
        return memory_schema.misfit(body["spec"], memory_schema.part("spec", memory_schema.PLANS), "spec")
    if kind is Kind.EVENT and body["involvedObject"].get("namespace", "") != namespace:
        return "involvedObject.namespace: Invalid value: does not match event.namespace"
    if kind is Kind.CONFIG_MAP:
        encoded = sum(len(base64.b64decode(value)) for value in (body.get("binaryData") or {}).values())
        if encoded + sum(len(value.encode()) for value in (body.get("data") or {}).values()) > CONFIG_MAP_LIMIT:
            return f"Too long: may not be more than {CONFIG_MAP_LIMIT} bytes"
    return ""


def _selected(labels: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in labels.split(",")) if labels else {}


def _field(item: Raw, path: str) -> object:
    found: Any = item
    for key in path.split("."):
        found = found.get(key, "")
    return found


def _labels(item: Raw) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["metadata"].get("labels") or {}
    return labels


def _place(item: Raw) -> list[str]:
    return [item["metadata"].get("namespace", ""), item["metadata"]["name"]]
