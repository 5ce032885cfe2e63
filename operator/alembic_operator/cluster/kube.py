"""The port to Kubernetes on the official client, `kubernetes.aio`. Nothing else imports `kubernetes`.

One ApiClient for the process. Objects are read as raw JSON and written as they are: the client's typed classes take
four times as long to read and refuse what a newer server sends, and importing CoreV1Api alone costs 25 MiB.
"""

from __future__ import annotations

import os
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
from alembic_operator.cluster.errors import NotFound, Unavailable
from alembic_operator.cluster.exchange import Answer, Ask, Exchange, NoAnswer, NotSent, OnRequest
from alembic_operator.cluster.port import Made, Page, Raw
from alembic_operator.cluster.resources import (
    CONFIG_MAPS,
    EVENTS,
    JOBS,
    LEASES,
    METADATA,
    NAMESPACES,
    PLANS,
    PODS,
    SCHEMAS,
    Asking,
)

TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=3)
LOG_LIMIT = 1 << 20  # bytes of the end of a log that are read at most
# Bytes of a whole log: the kubelet begins a new file at 10 MiB and serves the newest, and one line may be beyond it.
WHOLE_LOG_LIMIT = 12 << 20
CONNECT = "connect to the API server"
_OURS = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
_MADE = {Made.JOB: JOBS, Made.POD: PODS, Made.PLAN: PLANS, Made.CONFIG_MAP: CONFIG_MAPS}


class Kube(Asking):
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
        ask = Ask(f"look for the kind {names.KIND}", "get", "apis", "GET", SCHEMAS.base)
        try:
            served = await self._exchange.object(ask)
        except NotFound:
            return False
        return any(resource.get("name") == SCHEMAS.plural for resource in served.get("resources") or ())

    async def get_schema(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get(SCHEMAS, namespace, name)

    async def page_schemas(self, namespace: str, limit: int, token: str = "") -> Page:
        """See the port."""
        return await self._page(SCHEMAS, namespace, limit, token)

    async def apply_status(self, namespace: str, name: str, uid: str, status: Raw, *, version: str) -> Raw:
        """See the port."""
        head = {"namespace": namespace, "name": name, "uid": uid, "resourceVersion": version}
        return await self._apply_status(SCHEMAS, head, status)

    async def get_plan(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get(PLANS, namespace, name)

    async def create_plan(self, namespace: str, body: Raw) -> Raw:
        """See the port."""
        return await self._create(PLANS, namespace, body)

    async def apply_plan_status(self, namespace: str, name: str, status: Raw) -> None:
        """See the port."""
        await self._apply_status(PLANS, {"namespace": namespace, "name": name}, status)

    async def page_plans(self, namespace: str, limit: int, token: str = "") -> Page:
        """See the port."""
        return await self._page(PLANS, namespace, limit, token)

    async def page_made(self, kind: Made, namespace: str, limit: int, token: str = "") -> Page:
        """See the port."""
        return await self._page(_MADE[kind], namespace, limit, token, ("labelSelector", _OURS), accept=METADATA)

    async def delete(self, kind: Made, namespace: str, name: str, uid: str) -> None:
        """See the port."""
        propagation = "Foreground" if kind is Made.JOB else "Background"
        await self._delete(_MADE[kind], namespace, name, uid, propagation)

    async def get_namespace(self, name: str) -> Raw:
        """See the port."""
        return await self._get(NAMESPACES, "", name)

    async def list_jobs(self, namespace: str, schema_uid: str = "", name: str = "") -> tuple[Raw, ...]:
        """See the port."""
        if name:
            return await self._list(JOBS, namespace, ("fieldSelector", f"metadata.name={name}"))
        labels = _OURS
        if schema_uid:
            labels += f",{names.LABEL_UID}={schema_uid}"
        return await self._list(JOBS, namespace, ("labelSelector", labels))

    async def create_job(self, namespace: str, body: Raw) -> Raw:
        """See the port."""
        return await self._create(JOBS, namespace, body)

    async def list_pods(self, namespace: str, job_uid: str) -> tuple[Raw, ...]:
        """See the port."""
        return await self._list(PODS, namespace, ("labelSelector", f"batch.kubernetes.io/controller-uid={job_uid}"))

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """See the port."""
        return await self._log(namespace, pod, container, ("tailLines", str(lines)), ("limitBytes", str(LOG_LIMIT)))

    async def read_whole_log(self, namespace: str, pod: str, container: str) -> str:
        """See the port."""
        return await self._log(namespace, pod, container, ("limitBytes", str(WHOLE_LOG_LIMIT)))

    async def list_events(self, namespace: str, object_uid: str) -> tuple[Raw, ...]:
        """See the port."""
        return await self._list(EVENTS, namespace, ("fieldSelector", f"involvedObject.uid={object_uid}"))

    async def create_event(self, namespace: str, body: Raw) -> None:
        """See the port."""
        await self._create(EVENTS, namespace, body)

    async def get_config_map(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get(CONFIG_MAPS, namespace, name)

    async def create_config_map(self, namespace: str, body: Raw) -> None:
        """See the port."""
        await self._create(CONFIG_MAPS, namespace, body)

    async def page_config_maps(self, namespace: str, labels: str, limit: int, token: str = "") -> Page:
        """See the port."""
        return await self._page(CONFIG_MAPS, namespace, limit, token, ("labelSelector", labels), accept=METADATA)

    async def get_lease(self, namespace: str, name: str) -> Raw:
        """See the port."""
        return await self._get(LEASES, namespace, name)

    async def create_lease(self, namespace: str, body: Raw) -> Raw:
        """See the port."""
        return await self._create(LEASES, namespace, body)

    async def replace_lease(self, namespace: str, name: str, body: Raw) -> Raw:
        """See the port."""
        action = f"renew {LEASES.kind} {namespace}/{name}"
        ask = Ask(action, "update", LEASES.plural, "PUT", LEASES.path(namespace, name), body=body)
        return await self._exchange.object(ask)

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
