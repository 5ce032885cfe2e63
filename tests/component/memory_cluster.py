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

from alembic_operator.api import names
from alembic_operator.cluster.errors import Conflict, Gone, NotFound, Refused
from alembic_operator.cluster.port import Made, Page, Raw

__all__ = ["Crash", "MemoryCluster", "Request"]

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
CONFIG_MAP_LIMIT = 1 << 20
PLURALS = {Made.JOB: "jobs", Made.POD: "pods", Made.PLAN: "schemaplans", Made.CONFIG_MAP: "configmaps"}
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

    async def get_schema(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get("databaseschemas", namespace, name)

    async def page_schemas(self, namespace: str, limit: int, token: str = "") -> Page:
        """See the port."""
        return await self._page("databaseschemas", namespace, limit, token, lambda item: True)

    async def apply_status(self, namespace: str, name: str, uid: str, status: Raw, *, version: str) -> Raw:
        """See the port. We are the only manager, so what an apply does not name goes."""
        action = f"write the status of DatabaseSchema {namespace}/{name}"
        request = await self._request("patch", "databaseschemas/status", namespace, name)
        with self._effect(request):
            item = self._read("databaseschemas", namespace, name)
            if version != item["metadata"]["resourceVersion"]:
                raise Conflict(action, CHANGED)
            if misfit := memory_schema.misfit(status, memory_schema.part("status"), "status"):
                raise Refused(action, misfit)
            item["status"] = json.loads(json.dumps(status))
            changed = self._change("databaseschemas", item)
        return changed

    async def get_plan(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get("schemaplans", namespace, name)

    async def create_plan(self, namespace: str, body: Raw) -> Raw:
        """See the port."""
        request = await self._request("create", "schemaplans", namespace, body["metadata"]["name"])
        with self._effect(request):
            self._check_new("schemaplans", namespace, body)
            if misfit := memory_schema.misfit(body["spec"], memory_schema.part("spec", memory_schema.PLANS), "spec"):
                raise Refused("create SchemaPlan", misfit)
            created = self._add("schemaplans", namespace, body)
        return created

    async def apply_plan_status(self, namespace: str, name: str, status: Raw) -> None:
        """See the port."""
        request = await self._request("patch", "schemaplans/status", namespace, name)
        with self._effect(request):
            item = self._read("schemaplans", namespace, name)
            if misfit := memory_schema.misfit(status, memory_schema.part("status", memory_schema.PLANS), "status"):
                raise Refused("write the status of SchemaPlan", misfit)
            self._change("schemaplans", item | {"status": dict(status)})

    async def page_plans(self, namespace: str, limit: int, token: str = "") -> Page:
        """See the port."""
        return await self._page("schemaplans", namespace, limit, token, lambda item: True)

    async def page_made(self, kind: Made, namespace: str, limit: int, token: str = "") -> Page:
        """See the port."""
        ours = (names.LABEL_MANAGED_BY, names.MANAGED_BY)
        page = await self._page(PLURALS[kind], namespace, limit, token, lambda item: ours in _labels(item).items())
        return Page(tuple({"metadata": item["metadata"]} for item in page.items), page.token)

    async def delete(self, kind: Made, namespace: str, name: str, uid: str) -> None:
        """See the port."""
        request = await self._request("delete", PLURALS[kind], namespace, name)
        with self._effect(request):
            found = self._find(PLURALS[kind], namespace, name)
            if found and found["metadata"]["uid"] == uid:
                if kind is Made.JOB:
                    self._delete_job(namespace, name)
                else:
                    self._drop(PLURALS[kind], namespace, name)

    async def get_namespace(self, name: str) -> Raw:
        """See the port."""
        return await self._get("namespaces", "", name)

    async def list_jobs(self, namespace: str, schema_uid: str = "", name: str = "") -> tuple[Raw, ...]:
        """See the port."""
        await self._request("list", "jobs", namespace)
        if name:
            return tuple(job for job in self._all("jobs", namespace) if job["metadata"]["name"] == name)
        wanted = {names.LABEL_MANAGED_BY: names.MANAGED_BY}
        if schema_uid:
            wanted[names.LABEL_UID] = schema_uid
        return tuple(job for job in self._all("jobs", namespace) if wanted.items() <= _labels(job).items())

    async def create_job(self, namespace: str, body: Raw) -> Raw:
        """See the port."""
        request = await self._request("create", "jobs", namespace, body["metadata"]["name"])
        with self._effect(request):
            self._check_new("jobs", namespace, body, longest=63)
            uid = str(uuid.uuid4())
            item = copied(body) | {"status": {}}
            template = item["spec"]["template"]
            template.setdefault("metadata", {}).setdefault("labels", {}).update(
                {CONTROLLER_UID: uid, JOB_NAME: item["metadata"]["name"]}
            )
            item["spec"]["selector"] = {"matchLabels": {CONTROLLER_UID: uid}}
            created = self._add("jobs", namespace, item, uid)
        return created

    async def list_pods(self, namespace: str, job_uid: str) -> tuple[Raw, ...]:
        """See the port."""
        await self._request("list", "pods", namespace)
        return tuple(pod for pod in self._all("pods", namespace) if _labels(pod).get(CONTROLLER_UID) == job_uid)

    async def read_whole_log(self, namespace: str, pod: str, container: str) -> str:
        """See the port."""
        return await self.read_log(namespace, pod, container, 0)

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """See the port."""
        await self._request("get", "pods/log", namespace, pod)
        action = f"read the log of {container} in Pod {namespace}/{pod}"
        found = self._read("pods", namespace, pod)
        states = {each["name"]: each["state"] for each in found["status"].get("containerStatuses", ())}
        if container not in [each["name"] for each in found["spec"]["containers"]]:
            raise Refused(action, f"container {container} is not valid for pod {pod}")
        if "waiting" in states.get(container, {}):
            raise Refused(action, f'container "{container}" in pod "{pod}" is waiting to start')
        tail = self._logs.get((namespace, pod), [])[-lines:]
        return "".join(f"{line}\n" for line in tail)

    async def list_events(self, namespace: str, object_uid: str) -> tuple[Raw, ...]:
        """See the port."""
        await self._request("list", "events", namespace)
        return tuple(event for event in self.events(namespace) if event["involvedObject"].get("uid") == object_uid)

    async def create_event(self, namespace: str, body: Raw) -> None:
        """See the port."""
        request = await self._request("create", "events", namespace)
        with self._effect(request):
            self._check_new("events", namespace, body)
            if body["involvedObject"].get("namespace", "") != namespace:
                raise Refused("create Event", "involvedObject.namespace: Invalid value: does not match event.namespace")
            self._add("events", namespace, body)

    async def get_config_map(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get("configmaps", namespace, name)

    async def create_config_map(self, namespace: str, body: Raw) -> None:
        """See the port."""
        request = await self._request("create", "configmaps", namespace, body["metadata"]["name"])
        with self._effect(request):
            self._check_new("configmaps", namespace, body)
            encoded = sum(len(base64.b64decode(value)) for value in (body.get("binaryData") or {}).values())
            if encoded + sum(len(value.encode()) for value in (body.get("data") or {}).values()) > CONFIG_MAP_LIMIT:
                raise Refused("create ConfigMap", f"Too long: may not be more than {CONFIG_MAP_LIMIT} bytes")
            self._add("configmaps", namespace, body)

    async def page_config_maps(self, namespace: str, labels: str, limit: int, token: str = "") -> Page:
        """See the port. The selector is `key=value`, with commas between."""
        wanted = dict(pair.split("=", 1) for pair in labels.split(","))
        page = await self._page(
            "configmaps", namespace, limit, token, lambda item: wanted.items() <= _labels(item).items()
        )
        return Page(tuple({"metadata": item["metadata"]} for item in page.items), page.token)

    async def get_lease(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get("leases", namespace, name)

    async def create_lease(self, namespace: str, body: Raw) -> Raw:
        """See the port."""
        request = await self._request("create", "leases", namespace, body["metadata"]["name"])
        with self._effect(request):
            self._check_new("leases", namespace, body)
            created = self._add("leases", namespace, body)
        return created

    async def replace_lease(self, namespace: str, name: str, body: Raw) -> Raw:
        """See the port."""
        action = f"renew Lease {namespace}/{name}"
        request = await self._request("update", "leases", namespace, name)
        with self._effect(request):
            version = body["metadata"].get("resourceVersion")
            if not self._find("leases", namespace, name):
                return self._add("leases", namespace, body)
            item = self._read("leases", namespace, name)
            if not version:
                raise Refused(action, "metadata.resourceVersion: Invalid value: must be specified for an update")
            if version != item["metadata"]["resourceVersion"]:
                raise Conflict(action, CHANGED)
            replaced = self._change("leases", item | {"spec": dict(body["spec"])})
        return replaced

    async def _get(self, resource: str, namespace: str, name: str) -> Object:
        await self._request("get", resource, namespace, name)
        return self._read(resource, namespace, name)

    async def _page(
        self, resource: str, namespace: str, limit: int, token: str, fits: Callable[[Object], bool]
    ) -> Page:
        await self._request("list", resource, namespace)
        tokens, last = json.loads(base64.b64decode(token)) if token else (self._tokens, ["", ""])
        if tokens != self._tokens:
            raise Gone(f"list {resource}", "The provided continue parameter is too old")
        rest = [item for item in self._all(resource, namespace) if fits(item) and _place(item) > last]
        more = len(rest) > limit
        after = json.dumps([self._tokens, _place(rest[limit - 1])]).encode() if more else b""
        return Page(tuple(rest[:limit]), base64.b64encode(after).decode())

    def _namespace(self, name: str) -> None:
        if self._find("namespaces", "", name) is None:
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


def _labels(item: Raw) -> Mapping[str, str]:
    labels: Mapping[str, str] = item["metadata"].get("labels") or {}
    return labels


def _place(item: Raw) -> list[str]:
    return [item["metadata"].get("namespace", ""), item["metadata"]["name"]]
