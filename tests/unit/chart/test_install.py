"""What is installed by default: least rights, restricted pods, the settings that the operator reads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.unit.api.crd import CRD, PLAN_CRD

from alembic_operator.api import review
from alembic_operator.control.settings import Settings

from .objects import OBJECTS, VALUES, named, of_kind

POD: dict[str, Any] = named("Deployment", "alembic-operator")["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]
RULES = [(role, rule) for kind in ("ClusterRole", "Role") for role in of_kind(kind) for rule in role["rules"]]
BY_THE_DOWNWARD_API = {"ALEMBIC_OPERATOR_NAMESPACE": "alembic-operator", "ALEMBIC_OPERATOR_POD": "alembic-operator-0"}


@pytest.mark.parametrize("rule", [rule for _, rule in RULES], ids=lambda rule: "-".join(rule["resources"]))
def test_role_holds_no_secret_and_no_wildcard(rule: dict[str, Any]) -> None:
    words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]

    assert "secrets" not in words
    assert not [word for word in words if "*" in word]


def test_operator_may_do_what_its_port_needs_and_nothing_more() -> None:
    granted = {
        (group, resource): sorted(rule["verbs"])
        for rule in named("ClusterRole", "alembic-operator")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }

    assert granted == {
        ("alembic-operator.dev", "databaseschemas"): ["get", "list", "watch"],
        ("alembic-operator.dev", "databaseschemas/status"): ["patch"],
        ("alembic-operator.dev", "schemaplans"): ["create", "delete", "get", "list", "manage", "watch"],
        ("alembic-operator.dev", "schemaplans/status"): ["patch"],
        ("batch", "jobs"): ["create", "delete", "list", "watch"],
        ("", "pods"): ["delete", "list", "watch"],
        ("", "pods/log"): ["get"],
        ("", "events"): ["create", "list"],
        ("", "configmaps"): ["create", "delete", "get", "list"],
        ("", "namespaces"): ["get"],
    }


def test_lease_is_the_only_one_that_the_operator_may_change() -> None:
    create, change = named("Role", "alembic-operator-leader")["rules"]
    environment = {each["name"]: each.get("value") for each in CONTAINER["env"]}

    assert (create["verbs"], change["verbs"]) == (["create"], ["get", "update"])
    assert change["resourceNames"] == [environment["ALEMBIC_OPERATOR_LEASE"]]


def test_roles_for_people_are_not_aggregated_into_edit() -> None:
    labels = [label for role in of_kind("ClusterRole") for label in role["metadata"].get("labels", {})]

    assert {"alembic-editor", "alembic-viewer", "alembic-approver"} < {
        r["metadata"]["name"] for r in of_kind("ClusterRole")
    }
    assert not [label for label in labels if "aggregate-to" in label]


def test_pod_is_restricted() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_namespace_enforces_restricted_pods() -> None:
    labels = named("Namespace", "alembic-operator")["metadata"]["labels"]

    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_operator_reads_the_settings_that_the_chart_gives() -> None:
    given = {each["name"]: each["value"] for each in CONTAINER["env"] if "value" in each}

    settings = Settings.from_env({**given, **BY_THE_DOWNWARD_API})

    assert settings == Settings(
        namespace="alembic-operator",
        pod="alembic-operator-0",
        runner_image=f"{VALUES['runnerImage']['repository']}:0.1.0",
        workers=VALUES["workers"],
        resync=VALUES["resync"],
        log_level=VALUES["logLevel"],
        lease="alembic-operator",
        shadow_images={int(major): image for major, image in VALUES["shadow"]["images"].items()},
        admission_policies=True,
    )


def test_ports_are_those_that_the_operator_listens_on() -> None:
    settings = Settings(namespace="n", pod="p")

    assert {port["name"]: port["containerPort"] for port in CONTAINER["ports"]} == {
        "health": settings.health_port,
        "metrics": settings.metrics_port,
    }
    assert {CONTAINER[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")} == {
        "/healthz",
        "/readyz",
    }


@pytest.mark.parametrize("crd", [CRD, PLAN_CRD], ids=["dbs", "splan"])
def test_crd_is_the_one_of_the_repository(crd: dict[str, Any]) -> None:
    assert named("CustomResourceDefinition", crd["metadata"]["name"])["spec"] == crd["spec"]


def test_deciding_and_editing_are_separate_rights() -> None:
    verbs = {
        (role, resource): set(rule["verbs"])
        for role in ("alembic-editor", "alembic-approver", "alembic-viewer")
        for rule in named("ClusterRole", role)["rules"]
        for resource in rule["resources"]
    }

    assert verbs["alembic-approver", "schemaplans"] == {"approve", "delete", "get", "list", "patch", "watch"}
    assert verbs["alembic-editor", "schemaplans"] == {"get", "list", "watch"}
    assert (
        verbs["alembic-approver", "databaseschemas"]
        == verbs["alembic-viewer", "schemaplans"]
        == {"get", "list", "watch"}
    )


def test_policies_deny_what_they_find() -> None:
    policies = {each["metadata"]["name"] for each in of_kind("ValidatingAdmissionPolicy")}
    bindings = of_kind("ValidatingAdmissionPolicyBinding")

    assert {each["spec"]["policyName"] for each in bindings} == policies
    assert len(policies) == 8
    assert all(each["spec"]["validationActions"] == ["Deny"] for each in bindings)


def test_policy_asks_for_rights_twice_at_most_in_one_expression() -> None:
    asked = [
        sum(expression.count(f"variables.{name}") * text.count(".check(") for name, text in variables.items())
        + expression.count(".check(")
        for policy in of_kind("ValidatingAdmissionPolicy")
        for variables in [{each["name"]: each["expression"] for each in policy["spec"].get("variables", [])}]
        for expression in [validation["expression"] for validation in policy["spec"]["validations"]]
    ]

    # One check costs 350,000 of an expression's 1,000,000.
    assert 1 <= max(asked) <= 2


def test_policy_knows_what_each_rule_counts_for_without_a_word_of_the_spec() -> None:
    variables = named("ValidatingAdmissionPolicy", "alembic-operator-review")["spec"]["variables"]
    lists = {each["name"]: re.findall(r"'([a-z-]+)'", each["expression"]) for each in variables}

    assert tuple(lists["ownWarnings"]) == review.OWN_WARNINGS
    assert tuple(lists["ownEither"]) == review.OWN_EITHER


def test_nothing_says_that_helm_manages_it_when_helm_does_not() -> None:
    assert "helm" not in str([each["metadata"] for each in OBJECTS]).lower()
