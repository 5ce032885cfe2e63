"""What people and GitOps tools do to the in-memory cluster, and what a test sees in it; none of it is a request."""

from __future__ import annotations

from collections.abc import Mapping

from tests.component import memory_schema
from tests.component.memory_kubelet import Kubelet
from tests.component.memory_store import KINDS, Object

from alembic_operator.cluster.errors import Refused
from alembic_operator.cluster.port import Raw


class People(Kubelet):
    """Namespaces and DatabaseSchemas come, change and go."""

    def add_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> Object:
        """Create a namespace."""
        return self.add("namespaces", "", {"metadata": {"name": name, "labels": dict(labels or {})}})

    def put_schema(
        self,
        namespace: str,
        name: str,
        spec: Raw,
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Object:
        """Create a DatabaseSchema, or change its spec, which raises its generation. Raises Refused."""
        self.read("namespaces", "", namespace)
        full = memory_schema.defaulted(spec, memory_schema.part("spec"))
        if misfit := memory_schema.misfit(full, memory_schema.part("spec"), "spec"):
            raise Refused(f"apply DatabaseSchema {namespace}/{name}", misfit)
        found = self.find("databaseschemas", namespace, name)
        if found is None:
            status = memory_schema.part("status")["default"]
            head = {"name": name, "annotations": dict(annotations or {}), "labels": dict(labels or {})}
            return self.add("databaseschemas", namespace, {"metadata": head, "spec": full, "status": dict(status)})
        item = self.schema(namespace, name)
        if item["spec"] != full:
            item["metadata"]["generation"] += 1
            item["spec"] = full
        for field, given in (("annotations", annotations), ("labels", labels)):
            if given is not None:
                item["metadata"][field] = dict(given)
        return self.change("databaseschemas", item)

    def annotate(self, namespace: str, name: str, annotations: Mapping[str, str | None]) -> Object:
        """Set annotations of a DatabaseSchema, or with None remove them."""
        item = self.schema(namespace, name)
        merged = {**item["metadata"].get("annotations", {}), **annotations}
        item["metadata"]["annotations"] = {key: value for key, value in merged.items() if value is not None}
        return self.change("databaseschemas", item)

    def remove_schema(self, namespace: str, name: str, *, orphan: bool = False) -> None:
        """Delete a DatabaseSchema; the garbage collector takes what it owns, or with `orphan` leaves it to nobody."""
        found = self.read("databaseschemas", namespace, name)
        if orphan:
            self.orphan(namespace, found["metadata"]["uid"])
        self.drop("databaseschemas", namespace, name)

    def orphan(self, namespace: str, uid: str) -> None:
        """Take the ownerReferences from what that object owns."""
        for resource in KINDS:
            for item in self.all(resource, namespace):
                if any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences") or ()):
                    del item["metadata"]["ownerReferences"]
                    self.change(resource, item)

    def lose_job(self, namespace: str, name: str) -> None:
        """Delete a Job with --cascade=orphan: its pod goes on, and is nobody's."""
        self.orphan(namespace, self.read("jobs", namespace, name)["metadata"]["uid"])
        self.drop("jobs", namespace, name)

    def schema(self, namespace: str, name: str) -> Object:
        """A DatabaseSchema as it is. Raises NotFound."""
        return self.read("databaseschemas", namespace, name)

    def status(self, namespace: str, name: str) -> Object:
        """The status of a DatabaseSchema."""
        status: Object = self.schema(namespace, name)["status"]
        return status

    def plan(self, namespace: str, name: str) -> Object:
        """A SchemaPlan as it is. Raises NotFound."""
        return self.read("schemaplans", namespace, name)

    def plans(self, namespace: str = "") -> list[Object]:
        """The SchemaPlans that there are, by name."""
        return self.all("schemaplans", namespace)

    def decide_plan(self, namespace: str, name: str, kind: str, by: str = "dana@example.com") -> Object:
        """Somebody decides on a SchemaPlan, once. Raises Refused."""
        item = self.plan(namespace, name)
        if "decision" in item["spec"]:
            raise Refused(f"patch SchemaPlan {namespace}/{name}", "a decision is final")
        item["spec"]["decision"] = {"type": kind, "by": by, "reason": "as agreed"}
        item["metadata"]["generation"] += 1
        return self.change("schemaplans", item)

    def remove_plan(self, namespace: str, name: str) -> None:
        """Delete a SchemaPlan."""
        self.read("schemaplans", namespace, name)
        self.drop("schemaplans", namespace, name)

    def jobs(self, namespace: str = "") -> list[Object]:
        """The Jobs that there are, by name."""
        return self.all("jobs", namespace)

    def pods(self, namespace: str = "") -> list[Object]:
        """The pods that there are, by name."""
        return self.all("pods", namespace)

    def events(self, namespace: str = "") -> list[Object]:
        """The Events that there are, the oldest first."""
        return sorted(self.all("events", namespace), key=lambda event: int(event["metadata"]["resourceVersion"]))

    def config_maps(self, namespace: str = "") -> list[Object]:
        """The ConfigMaps that there are, by name."""
        return self.all("configmaps", namespace)
