"""After everything: each right that the chart grants was used, and no request of the operator was denied."""

from __future__ import annotations

import json

import pytest

from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import CommandFailed

from .audit import Audit
from .installation import Installation

Right = tuple[str, str, str]
UNASKED: set[Right] = {("alembic-operator.dev", "schemaplans", "manage")}  # by admission policies, which no log shows


def granted(cluster: Cluster, kind: str, name: str, namespace: str = "") -> set[Right]:
    """Every combination of group, resource and verb in a role."""
    role = json.loads(cluster.kubectl("get", kind, name, "-n", namespace or "default", "-o", "json"))
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.late(order=1)
def test_each_right_was_used_and_no_request_was_denied(operator: Installation, cluster: Cluster, audit: Audit) -> None:
    rights = granted(cluster, "clusterrole", operator.deployment)
    rights |= granted(cluster, "role", f"{operator.deployment}-leader", operator.name)
    requests = list(audit.requests(operator.account))

    assert {request.right for request in requests if request.allowed} | UNASKED == rights
    assert [request for request in requests if not request.allowed] == []


@pytest.mark.late(order=1)
def test_no_right_is_granted_on_secrets_or_on_everything(operator: Installation, cluster: Cluster) -> None:
    rights = granted(cluster, "clusterrole", operator.deployment)

    assert "secrets" not in {resource for _, resource, _ in rights}
    assert "*" not in {part for right in rights for part in right}
    with pytest.raises(CommandFailed) as refused:
        cluster.kubectl("auth", "can-i", "get", "secrets", "-A", f"--as={operator.account}")
    assert refused.value.said.strip() == "no"
