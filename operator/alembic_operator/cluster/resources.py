"""Where the API server keeps the objects of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from alembic_operator.api import names
from alembic_operator.cluster.port import Kind


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


RESOURCES = {
    Kind.SCHEMA: Resource(names.KIND, f"/apis/{names.API_VERSION}", names.PLURAL),
    Kind.PLAN: Resource(names.PLAN_KIND, f"/apis/{names.API_VERSION}", names.PLAN_PLURAL),
    Kind.JOB: Resource("Job", "/apis/batch/v1", "jobs"),
    Kind.POD: Resource("Pod", "/api/v1", "pods"),
    Kind.CONFIG_MAP: Resource("ConfigMap", "/api/v1", "configmaps"),
    Kind.NAMESPACE: Resource("Namespace", "/api/v1", "namespaces"),
    Kind.EVENT: Resource("Event", "/api/v1", "events"),
    Kind.LEASE: Resource("Lease", "/apis/coordination.k8s.io/v1", "leases"),
}
