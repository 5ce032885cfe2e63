"""The plans of a DatabaseSchema, and people who have this or that right on them."""

from __future__ import annotations

import json
from typing import Any

import yaml
from tests.cluster.lifecycle import Cluster
from tests.unit.api.manifests import PLAIN, changed
from tests.unit.api.plans import PLAIN_PLAN

from .conftest import PRODUCTION
from .users import POD_CREATOR, Rules, of_the_chart, said

PLANS = ("alembic-operator.dev", "schemaplans")
STATUS_READER: Rules = [("alembic-operator.dev", "schemaplans/status", ["get"])]  # kubectl reads it before a patch
USERS: dict[str, Rules] = {
    "operator": of_the_chart("alembic-operator") + STATUS_READER,
    "vic": of_the_chart("alembic-viewer") + STATUS_READER,
    "ed": of_the_chart("alembic-editor") + POD_CREATOR + STATUS_READER,
    "ann": of_the_chart("alembic-approver") + STATUS_READER,
    # Rights that the chart gives to nobody together: what RBAC lets through, the policies have to stop.
    "mallory": [(*PLANS, ["create", "delete", "deletecollection", "get", "list", "patch", "update"])],
    "forger": [(*PLANS, ["approve", "create", "delete", "get", "patch", "update"])],
    "machine": [(*PLANS, ["create", "get", "manage", "patch"])],
}
GARBAGE_COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"
CONTROLLERS = {
    GARBAGE_COLLECTOR: [(*PLANS, ["delete", "get", "patch", "update"])],
    "system:serviceaccount:kube-system:namespace-controller": [(*PLANS, ["delete", "get"])],
}


class Plans:
    """The plans of one DatabaseSchema in production: pending, approved, rejected; all by their names."""

    def __init__(self, cluster: Cluster, owner: str) -> None:
        self._cluster = cluster
        manifest = changed(PLAIN, {"metadata.name": owner, "metadata.namespace": PRODUCTION, "spec.suspend": True})
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
        uid = cluster.kubectl("-n", PRODUCTION, "get", "dbs", owner, "-o", "jsonpath={.metadata.uid}").strip()
        self._owner = {"name": owner, "uid": uid}

    def manifest(self, name: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """A plan of that DatabaseSchema."""
        place = {"metadata.name": name, "metadata.namespace": PRODUCTION, "spec.schemaRef": self._owner}
        [reference] = PLAIN_PLAN["metadata"]["ownerReferences"]
        owned = {"metadata.ownerReferences": [{**reference, **self._owner}]}
        return changed(PLAIN_PLAN, {**place, **owned, **(changes or {})})

    def create(self, user: str, manifest: dict[str, Any], *options: str) -> str:
        """What is said against a new plan."""
        return said(self._cluster, "create", *options, "-f", "-", user=user, stdin=json.dumps(manifest))

    def patch(self, user: str, name: str, patch: dict[str, Any], *options: str) -> str:
        """What is said against a change of a plan."""
        words = ("-n", PRODUCTION, "patch", "splan", name, "--type=merge", *options)
        return said(self._cluster, *words, "-p", json.dumps(patch), user=user)

    def delete(self, user: str, *words: str) -> str:
        """What is said against a deletion."""
        return said(self._cluster, "-n", PRODUCTION, "delete", "splan", *words, user=user)

    def names(self) -> set[str]:
        """The plans that there are."""
        return set(self._cluster.kubectl("-n", PRODUCTION, "get", "splan", "-o", "name").split())


DRY = "--dry-run=server"


def decision(kind: str, by: str, **more: str) -> dict[str, Any]:
    return {"spec": {"decision": {"type": kind, "by": by, **more}}}
