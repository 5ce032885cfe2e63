"""The one port to Kubernetes: what the operator asks of a cluster, verb by verb.

Objects come and go as the raw JSON of the API; every read is live (the API server's latest), every call has a timeout.
Implemented by `kube.Kube` on a real API server, and in memory by the component tests. Errors are those of `errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """A part of a listing; `token` asks for the next part, "" when there is none."""

    items: tuple[Raw, ...]
    token: str


class Made(Enum):
    """What is made for a DatabaseSchema."""

    JOB = "Job"
    POD = "Pod"
    PLAN = "SchemaPlan"
    CONFIG_MAP = "ConfigMap"


class Cluster(Protocol):
    """A dozen verbs. Any of them may raise Unavailable; what else each may raise stands with it."""

    async def serves_schemas(self) -> bool:
        """Whether the API server knows our kind: the CRD is installed and established."""
        ...

    async def get_schema(self, namespace: str, name: str) -> Raw:
        """Read a DatabaseSchema. Raises NotFound."""
        ...

    async def page_schemas(self, namespace: str, limit: int, token: str = "") -> Page:
        """List DatabaseSchemas, of every namespace when it is "". Raises Gone when the token has expired."""
        ...

    async def apply_status(self, namespace: str, name: str, uid: str, status: Raw, *, version: str) -> Raw:
        """Server-side apply of the whole status onto the object at that resourceVersion; the object as it is then.

        The version is what keeps an object that was made anew from getting the old one's status: the API server
        (1.36.3) does not compare the uid of an apply on /status.

        Raises:
            NotFound: it was deleted.
            Conflict: it changed since it was read, or is another one.
            Refused: the status does not fit the CRD, which is then older than the operator.
        """
        ...

    async def get_plan(self, namespace: str, name: str) -> Raw:
        """Read a SchemaPlan. Raises NotFound."""
        ...

    async def create_plan(self, namespace: str, body: Raw) -> Raw:
        """Create a SchemaPlan; the object as it is then. Raises AlreadyExists, Refused, NotFound (no namespace)."""
        ...

    async def apply_plan_status(self, namespace: str, name: str, status: Raw) -> None:
        """Server-side apply of the whole status of a SchemaPlan. Raises NotFound, Refused."""
        ...

    async def page_plans(self, namespace: str, limit: int, token: str = "") -> Page:
        """List SchemaPlans, of every namespace when it is "". Raises Gone."""
        ...

    async def page_made(self, kind: Made, namespace: str, limit: int, token: str = "") -> Page:
        """List what carries our label in a namespace, the metadata alone. Raises Gone."""
        ...

    async def delete(self, kind: Made, namespace: str, name: str, uid: str) -> None:
        """Delete what was made, a Job after its pods. One that is gone or has another uid is left without an error."""
        ...

    async def get_namespace(self, name: str) -> Raw:
        """Read a Namespace. Raises NotFound, Refused."""
        ...

    async def list_jobs(self, namespace: str, schema_uid: str = "", name: str = "") -> tuple[Raw, ...]:
        """The operator's Jobs in a namespace (all when ""), of one DatabaseSchema; or any Job of that name."""
        ...

    async def create_job(self, namespace: str, body: Raw) -> Raw:
        """Create a Job. Raises AlreadyExists, Refused, NotFound (no such namespace)."""
        ...

    async def list_pods(self, namespace: str, job_uid: str) -> tuple[Raw, ...]:
        """The pods that a Job's controller made."""
        ...

    async def read_log(self, namespace: str, pod: str, container: str, lines: int) -> str:
        """The last lines of a container's log, "" before a node has the pod. Raises NotFound, Refused (not started)."""
        ...

    async def read_whole_log(self, namespace: str, pod: str, container: str) -> str:
        """A container's log from its beginning, as far as the node still has it. Raises as `read_log`."""
        ...

    async def list_events(self, namespace: str, object_uid: str) -> tuple[Raw, ...]:
        """The Events about one object."""
        ...

    async def create_event(self, namespace: str, body: Raw) -> None:
        """Post an Event. Raises Refused, NotFound."""
        ...

    async def get_config_map(self, namespace: str, name: str) -> Raw:
        """Read a ConfigMap. Raises NotFound."""
        ...

    async def create_config_map(self, namespace: str, body: Raw) -> None:
        """Create a ConfigMap. Raises AlreadyExists, Refused."""
        ...

    async def page_config_maps(self, namespace: str, labels: str, limit: int, token: str = "") -> Page:
        """List ConfigMaps by a label selector, of every namespace when it is ""; their metadata alone. Raises Gone."""
        ...

    async def get_lease(self, namespace: str, name: str) -> Raw:
        """Read a Lease. Raises NotFound."""
        ...

    async def create_lease(self, namespace: str, body: Raw) -> Raw:
        """Create a Lease. Raises AlreadyExists."""
        ...

    async def replace_lease(self, namespace: str, name: str, body: Raw) -> Raw:
        """Replace a Lease at the version that the body names; one that was deleted is made anew. Raises Conflict."""
        ...
