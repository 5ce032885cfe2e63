"""The port to Kubernetes on the official client, `kubernetes.aio`. Nothing else imports `kubernetes`.

One ApiClient for the process. Objects are read as raw JSON and written as they are: the client's typed classes take
four times as long to read and refuse what a newer server sends, and importing CoreV1Api alone costs 25 MiB.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Self

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME, SERVICE_TOKEN_FILENAME

from alembic_operator.api import names
from alembic_operator.cluster.errors import Conflict, Gone, NotFound, Unavailable
from alembic_operator.cluster.exchange import JSON, Answer, Ask, Exchange, NoAnswer, NotSent, OnRequest
from alembic_operator.cluster.port import Kind, Page, Raw
from alembic_operator.cluster.resources import RESOURCES

TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=3)
LOG_LIMIT = 1 << 20  # bytes of the end of a log that are read at most
# Bytes of a whole log: the kubelet begins a new file at 10 MiB and serves the newest, and one line may be beyond it.
WHOLE_LOG_LIMIT = 12 << 20
CONNECT = "connect to the API server"
PAGE = 500  # objects in a part of a list
APPLY = "application/apply-patch+yaml"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Kube:
    """Implements `port.Cluster` on a real API server. Make it by `connect`, end it by `aclose`."""

    def __init__(self, configuration: Configuration, on_request: OnRequest | None = None, kubeconfig: str = "") -> None:
        self._api = ApiClient(configuration)
        self._api.user_agent = f"alembic-operator/{metadata.version('alembic-operator')}"
        self._exchange = Exchange(self._send, on_request, partial(_authenticate, configuration, kubeconfig))

    @classmethod
    async def connect(cls, on_request: OnRequest | None = None, kubeconfig: str = "") -> Self:
        """Find the cluster: by `kubeconfig`, else the pod's service account, else $KUBECONFIG, else ~/.kube/config.

        Nothing is sent yet. Raises Unavailable when there is none of these, or it cannot be used.
        """
        configuration = Configuration()
        await _authenticate(configuration, kubeconfig)
        return cls(configuration, on_request, kubeconfig)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def serves_schemas(self) -> bool:
        """See the port. The discovery document names a resource once its CRD is established."""
        of = RESOURCES[Kind.SCHEMA]
        ask = Ask(f"look for the kind {of.kind}", "get", "apis", "GET", of.base)
        try:
            served = await self._exchange.object(ask)
        except NotFound:
            return False
        return any(resource.get("name") == of.plural for resource in served.get("resources") or ())

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw:
        """See the port."""
        where = f"{namespace}/{name}" if namespace else name
        of = RESOURCES[kind]
        return await self._exchange.object(
            Ask(f"read {of.kind} {where}", "get", of.plural, "GET", of.path(namespace, name))
        )

    async def page(
        self, kind: Kind, namespace: str, limit: int, token: str = "", *, labels: str = "", metadata: bool = False
    ) -> Page:
        """See the port."""
        query = (("labelSelector", labels),) if labels else ()
        return await self._page(kind, namespace, limit, token, *query, accept=METADATA if metadata else JSON)

    async def list_all(self, kind: Kind, namespace: str, *, labels: str = "", fields: str = "") -> tuple[Raw, ...]:
        """See the port."""
        query = tuple((key, value) for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value)
        try:
            return tuple([item async for item in self._each(kind, namespace, *query)])
        except Gone:  # the first page was read too long ago for the next one; a second time is the caller's affair
            return tuple([item async for item in self._each(kind, namespace, *query)])

    async def create(self, kind: Kind, namespace: str, body: Raw) -> Raw:
        """See the port."""
        of, head = RESOURCES[kind], body.get("metadata") or {}
        action = f"create {of.kind} {namespace}/{head.get('name') or head.get('generateName')}"
        path = of.path(namespace)
        return await self._exchange.object(Ask(action, "create", of.plural, "POST", path, body=body, repeatable=False))

    async def replace(self, kind: Kind, namespace: str, name: str, body: Raw) -> Raw:
        """See the port."""
        of = RESOURCES[kind]
        ask = Ask(
            f"replace {of.kind} {namespace}/{name}", "update", of.plural, "PUT", of.path(namespace, name), body=body
        )
        return await self._exchange.object(ask)

    async def apply_status(
        self, kind: Kind, namespace: str, name: str, status: Raw, *, uid: str = "", version: str = ""
    ) -> Raw:
        """See the port."""
        of, head = RESOURCES[kind], {"namespace": namespace, "name": name}
        if version:
            head |= {"uid": uid, "resourceVersion": version}
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

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """See the port."""
        of = RESOURCES[kind]
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
                "propagationPolicy": "Foreground" if kind is Kind.JOB else "Background",
            },
        )
        try:
            await self._exchange.answer(ask)
        except (NotFound, Conflict):
            return  # what was meant is gone

    async def read_log(self, namespace: str, pod: str, container: str, lines: int | None = None) -> str:
        """See the port."""
        tail: tuple[tuple[str, str], ...] = (("limitBytes", str(WHOLE_LOG_LIMIT)),)
        if lines is not None:
            tail = (("tailLines", str(lines)), ("limitBytes", str(LOG_LIMIT)))
        pods = RESOURCES[Kind.POD]
        ask = Ask(
            f"read the log of {container} in Pod {namespace}/{pod}",
            "get",
            f"{pods.plural}/log",
            "GET",
            pods.path(namespace, pod, "log"),
            query=(("container", container), *tail),
        )
        return (await self._exchange.answer(ask)).body.decode(errors="replace")

    async def _page(
        self, kind: Kind, namespace: str, limit: int, token: str, *query: tuple[str, str], accept: str = JSON
    ) -> Page:
        of, where = RESOURCES[kind], f"in {namespace}" if namespace else "in every namespace"
        query += (("limit", str(limit)),)
        if token:
            query += (("continue", token),)
        path = of.path(namespace)
        ask = Ask(f"list {of.kind}s {where}", "list", of.plural, "GET", path, query, accept=accept)
        read = await self._exchange.object(ask)
        return Page(tuple(read.get("items") or ()), (read.get("metadata") or {}).get("continue") or "")

    async def _each(self, kind: Kind, namespace: str, *query: tuple[str, str]) -> AsyncIterator[Raw]:
        token = ""
        while True:
            page = await self._page(kind, namespace, PAGE, token, *query)
            for item in page.items:
                yield item
            token = page.token
            if not token:
                return

    async def _send(self, ask: Ask) -> Answer:
        method, url, headers, body, post = await self._api.param_serialize(
            ask.method,
            ask.path,
            query_params=list(ask.query),
            header_params={"Accept": ask.accept, "Content-Type": ask.content_type},
            body=ask.body,
            auth_settings=["BearerToken"],
        )
        try:
            response: aiohttp.ClientResponse = (
                await self._api.call_api(method, url, headers, body, post, TIMEOUT)
            ).response
            read = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"no connection: {error}") from error
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {TIMEOUT.total:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(f"the connection broke: {error!r}") from error
        return Answer(response.status, read, response.headers.get("Retry-After", ""))


async def _authenticate(configuration: Configuration, kubeconfig: str) -> None:
    """Fill in, or renew, the address and the credentials. The token of a service account is read again every minute."""
    in_pod = SERVICE_HOST_ENV_NAME in os.environ and Path(SERVICE_TOKEN_FILENAME).exists()  # noqa: ASYNC240
    try:
        if not kubeconfig and in_pod:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            file = kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())  # noqa: ASYNC240
            await load_kube_config(file, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise Unavailable(
            CONNECT, f"{error} (run in a pod with a service account, or set KUBECONFIG to the file of a cluster)"
        ) from error
