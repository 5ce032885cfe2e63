"""The kinds that the operator asks for, and the requests that are the same for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from alembic_operator.api import names
from alembic_operator.cluster.errors import Conflict, Gone, NotFound
from alembic_operator.cluster.exchange import JSON, Ask, Exchange
from alembic_operator.cluster.port import Page, Raw

PAGE = 500
APPLY = "application/apply-patch+yaml"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True)
class Resource:
    """A kind and where the API server keeps its objects."""

    kind: str
    base: str
    plural: str

    def path(self, namespace: str, name: str = "", sub: str = "") -> str:
        """The path of an object, or of all in a namespace, or of all."""
        parts = [self.base]
        if namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        if sub:
            parts.append(sub)
        return "/".join(parts)


SCHEMAS = Resource(names.KIND, f"/apis/{names.API_VERSION}", names.PLURAL)
PLANS = Resource(names.PLAN_KIND, f"/apis/{names.API_VERSION}", names.PLAN_PLURAL)
NAMESPACES = Resource("Namespace", "/api/v1", "namespaces")
JOBS = Resource("Job", "/apis/batch/v1", "jobs")
PODS = Resource("Pod", "/api/v1", "pods")
EVENTS = Resource("Event", "/api/v1", "events")
CONFIG_MAPS = Resource("ConfigMap", "/api/v1", "configmaps")
LEASES = Resource("Lease", "/apis/coordination.k8s.io/v1", "leases")


class Asking:
    """Requests by `self._exchange`, which a subclass makes."""

    _exchange: Exchange

    async def _log(self, namespace: str, pod: str, container: str, *query: tuple[str, str]) -> str:
        ask = Ask(
            f"read the log of {container} in Pod {namespace}/{pod}",
            "get",
            f"{PODS.plural}/log",
            "GET",
            PODS.path(namespace, pod, "log"),
            query=(("container", container), *query),
        )
        return (await self._exchange.answer(ask)).body.decode(errors="replace")

    async def _apply_status(self, of: Resource, head: Raw, status: Raw) -> Raw:
        namespace, name = head["namespace"], head["name"]
        ask = Ask(
            f"write the status of {of.kind} {namespace}/{name}",
            "patch",
            f"{of.plural}/status",
            "PATCH",
            of.path(namespace, name, "status"),
            query=(("fieldManager", names.FIELD_MANAGER), ("force", "true")),
            body={"apiVersion": names.API_VERSION, "kind": of.kind, "metadata": head, "status": status},
            content_type=APPLY,
        )
        return await self._exchange.object(ask)

    async def _get(self, of: Resource, namespace: str, name: str) -> Raw:
        where = f"{namespace}/{name}" if namespace else name
        return await self._exchange.object(
            Ask(f"read {of.kind} {where}", "get", of.plural, "GET", of.path(namespace, name))
        )

    async def _page(
        self, of: Resource, namespace: str, limit: int, token: str, *query: tuple[str, str], accept: str = JSON
    ) -> Page:
        where = f"in {namespace}" if namespace else "in every namespace"
        query += (("limit", str(limit)),)
        if token:
            query += (("continue", token),)
        path = of.path(namespace)
        ask = Ask(f"list {of.kind}s {where}", "list", of.plural, "GET", path, query, accept=accept)
        read = await self._exchange.object(ask)
        return Page(tuple(read.get("items") or ()), (read.get("metadata") or {}).get("continue") or "")

    async def _list(self, of: Resource, namespace: str, selector: tuple[str, str]) -> tuple[Raw, ...]:
        try:
            return tuple([item async for item in self._each(of, namespace, selector)])
        except Gone:  # the first page was read too long ago for the next one; a second time is the caller's affair
            return tuple([item async for item in self._each(of, namespace, selector)])

    async def _each(self, of: Resource, namespace: str, selector: tuple[str, str]) -> AsyncIterator[Raw]:
        token = ""
        while True:
            page = await self._page(of, namespace, PAGE, token, selector)
            for item in page.items:
                yield item
            token = page.token
            if not token:
                return

    async def _create(self, of: Resource, namespace: str, body: Raw) -> Raw:
        head = body.get("metadata") or {}
        action = f"create {of.kind} {namespace}/{head.get('name') or head.get('generateName')}"
        path = of.path(namespace)
        return await self._exchange.object(Ask(action, "create", of.plural, "POST", path, body=body, repeatable=False))

    async def _delete(self, of: Resource, namespace: str, name: str, uid: str, propagation: str) -> None:
        ask = Ask(
            f"delete {of.kind} {namespace}/{name}",
            "delete",
            of.plural,
            "DELETE",
            of.path(namespace, name),
            body={
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": {"uid": uid},
                "propagationPolicy": propagation,
            },
        )
        try:
            await self._exchange.answer(ask)
        except (NotFound, Conflict):
            return  # what was meant is gone
