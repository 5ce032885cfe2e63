"""People and programs as the API server sees them: impersonated, with the rights that their Roles give."""

from __future__ import annotations

from typing import Any

from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import CommandFailed
from tests.unit.chart.objects import named

Rules = list[tuple[str, str, list[str]]]

EDITOR: Rules = [("alembic-operator.dev", "databaseschemas", ["create", "get", "patch", "update"])]
POD_CREATOR: Rules = [("", "pods", ["create"])]
APPROVER: Rules = [("alembic-operator.dev", "schemaplans", ["approve"])]


def of_the_chart(role: str) -> Rules:
    """The rules of one of the chart's ClusterRoles."""
    return [
        (group, resource, rule["verbs"])
        for rule in named("ClusterRole", role)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    ]


def said(cluster: Cluster, *words: str, user: str, stdin: str = "") -> str:
    """What is said against kubectl's request as that user; "" for nothing."""
    try:
        cluster.kubectl("--as", user, *words, stdin=stdin)
    except CommandFailed as failed:
        return failed.said
    return ""


def rights_of(user: str, namespace: str, rules: Rules, name: str = "") -> list[dict[str, Any]]:
    """A Role of that name and its binding."""
    meta = {"name": name or f"admission-{user}", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": meta["name"]}
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": meta,
            "rules": [{"apiGroups": [group], "resources": [kind], "verbs": verbs} for group, kind, verbs in rules],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": role,
            "subjects": [{"kind": "User", "name": user}],
        },
    ]
