"""The one port to Kubernetes: what the operator asks of a cluster, by verb and kind.

Objects come and go as the raw JSON of the API; every read is live (the API server's latest), every call has a timeout.
Implemented by `kube.Kube` on a real API server, and in memory by the component tests. Errors are those of `errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from alembic_operator.api import names

Raw = Mapping[str, Any]

OURS = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"  # selects by label what the operator has created


class Kind(Enum):
    """The kinds that the operator reads or writes."""

    SCHEMA = "DatabaseSchema"
    PLAN = "SchemaPlan"
    JOB = "Job"
    POD = "Pod"
    CONFIG_MAP = "ConfigMap"
    NAMESPACE = "Namespace"
    EVENT = "Event"
    LEASE = "Lease"


CREATED = (Kind.JOB, Kind.POD, Kind.PLAN, Kind.CONFIG_MAP)  # for a DatabaseSchema, by the operator or by its Jobs


@dataclass(frozen=True)
class Page:
    """A part of a listing; `token` asks for the next part, "" when there is none."""

    items: tuple[Raw, ...]
    token: str


def made_for(schema_uid: str) -> str:
    """A label selector: what the operator has created for one DatabaseSchema."""
    return f"{OURS},{names.LABEL_UID}={schema_uid}"


def of_job(uid: str) -> str:
    """A label selector: the pods that a Job's controller made."""
    return f"batch.kubernetes.io/controller-uid={uid}"


def about(uid: str) -> str:
    """A field selector: the Events about one object."""
    return f"involvedObject.uid={uid}"


def named(name: str) -> str:
    """A field selector: the object of that name, whoever created it."""
    return f"metadata.name={name}"


class Cluster(Protocol):
    """A namespace of "" means all of them. Any verb may raise Unavailable; what else each raises stands with it."""

    async def serves_schemas(self) -> bool:
        """Whether the API server knows our kind: the CRD is installed and established."""
        ...

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw:
        """Read an object. Raises NotFound; Refused where the operator may not read it."""
        ...

    async def page(
        self, kind: Kind, namespace: str, limit: int, token: str = "", *, labels: str = "", metadata: bool = False
    ) -> Page:
        """List a part, by a label selector; with `metadata` that alone. Raises Gone when the token has expired."""
        ...

    async def list_all(self, kind: Kind, namespace: str, *, labels: str = "", fields: str = "") -> tuple[Raw, ...]:
        """List all that a label or a field selector selects, page by page."""
        ...

    async def create(self, kind: Kind, namespace: str, body: Raw) -> Raw:
        """Create an object; as it is then. Raises AlreadyExists, Refused, NotFound (no such namespace)."""
        ...

    async def replace(self, kind: Kind, namespace: str, name: str, body: Raw) -> Raw:
        """Replace an object at the version that the body names; one that was deleted is made anew. Raises Conflict."""
        ...

    async def apply_status(
        self, kind: Kind, namespace: str, name: str, status: Raw, *, uid: str = "", version: str = ""
    ) -> Raw:
        """Server-side apply of the whole status, onto the object at that resourceVersion; as it is then.

        The version is what keeps an object that was made anew from getting the old one's status: the API server
        (1.36.3) does not compare the uid of an apply on /status.

        Raises:
            NotFound: it was deleted.
            Conflict: it changed since it was read, or is another one.
            Refused: the status does not fit the CRD, which is then older than the operator.
        """
        ...

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete an object, a Job after its pods. One that is gone or has another uid is left without an error."""
        ...

    async def read_log(self, namespace: str, pod: str, container: str, lines: int | None = None) -> str:
        """The last lines of a container's log; without `lines` all that the node still has of it.

        It is "" before a node has the pod. Raises NotFound, Refused (the container has not started).
        """
        ...
