"""The chart as Helm renders it: with defaults the same as install.yaml, with every option what the API server takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.generate import install
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import CommandFailed

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "alembic-operator"
NAMESPACED = {"watchNamespaces": ["shop", "billing"], "clusterId": "staging", "developmentNamespaces": ["shop"]}
EVERYTHING = {
    "replicas": 3,
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccount": {"annotations": {"example.com/role": "x"}},
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "podLabels": {"team": "platform"},
    "podAnnotations": {"example.com/x": "z"},
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "priorityClassName": "system-cluster-critical",
    "networkPolicy": {"enabled": True, "metricsFrom": [{"namespaceSelector": {}}]},
    "planNetworkPolicies": {"namespaces": ["default"], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
}


def render(cluster: Cluster, values: dict[str, Any], release: str = "alembic-operator") -> list[dict[str, Any]]:
    """The objects that the chart makes."""
    words = ("helm", "template", release, CHART, "--namespace", "chart", "--values", "-")
    return [each for each in yaml.load_all(cluster.run(*words, stdin=json.dumps(values)), yaml.CSafeLoader) if each]


def kinds(objects: list[dict[str, Any]]) -> set[str]:
    """Which kinds of objects there are."""
    return {each["kind"] for each in objects}


def container(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The operator's container."""
    [deployment] = [each for each in objects if each["kind"] == "Deployment"]
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """Where the objects would go."""
    cluster.kubectl("create", "namespace", "chart")
    yield "chart"
    cluster.kubectl("delete", "namespace", "--wait=false", "chart")


def test_install_yaml_is_what_helm_makes_of_the_chart(cluster: Cluster) -> None:
    [(file, text)] = install.files(cluster.bin / "helm").items()

    assert file.read_text(encoding="utf-8") == text, "run `make generate`"


def test_kustomize_makes_the_same_objects(cluster: Cluster) -> None:
    built = cluster.kubectl("kustomize", ROOT / "deploy")

    def names(text: str) -> set[tuple[str, str]]:
        return {(each["kind"], each["metadata"]["name"]) for each in yaml.load_all(text, yaml.CSafeLoader)}

    assert names(built) == names((ROOT / "deploy" / "install.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("values", [{}, NAMESPACED, EVERYTHING], ids=["defaults", "namespaced", "everything"])
def test_lint_finds_nothing(cluster: Cluster, values: dict[str, Any]) -> None:
    said = cluster.run("helm", "lint", "--strict", CHART, "--values", "-", stdin=json.dumps(values))

    assert "1 chart(s) linted, 0 chart(s) failed" in said


def test_every_option_is_taken_by_the_api_server(cluster: Cluster, namespace: str) -> None:
    objects = render(cluster, {**EVERYTHING, "crds": {"install": False}}, release="try")
    ours = [each for each in objects if not each["apiVersion"].startswith("monitoring.coreos.com/")]

    words = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-")
    said = cluster.kubectl(*words, stdin=yaml.safe_dump_all(ours))

    assert len(said.splitlines()) == len(ours)
    assert {"PodDisruptionBudget", "NetworkPolicy", "Service"} < kinds(ours)
    assert {"ServiceMonitor", "PrometheusRule"} < kinds(objects)


def test_what_needs_other_software_is_off_by_default(cluster: Cluster) -> None:
    absent = {"ServiceMonitor", "PrometheusRule", "NetworkPolicy", "PodDisruptionBudget", "Service"}

    assert not kinds(render(cluster, {})) & absent


def test_namespaced_install_has_roles_where_it_works_and_no_cluster_role(cluster: Cluster) -> None:
    objects = render(cluster, {**NAMESPACED, "admissionPolicies": False, "crds": {"install": False}})
    roles = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in objects if each["kind"] == "Role"}

    assert kinds(objects) == {"Deployment", "Role", "RoleBinding", "ServiceAccount"}
    assert roles == {
        ("shop", "alembic-operator"),
        ("billing", "alembic-operator"),
        ("chart", "alembic-operator-leader"),
    }


def test_namespaced_install_asks_for_no_namespace_and_no_secret(cluster: Cluster) -> None:
    rules = [rule for each in render(cluster, NAMESPACED) if each["kind"] == "Role" for rule in each["rules"]]

    assert not [rule for rule in rules if {"namespaces", "secrets"} & set(rule["resources"])]


def test_namespaced_settings_reach_the_operator(cluster: Cluster) -> None:
    environment = {each["name"]: each.get("value") for each in container(render(cluster, NAMESPACED))["env"]}

    assert environment["ALEMBIC_OPERATOR_WATCH_NAMESPACES"] == "shop,billing"
    assert environment["ALEMBIC_OPERATOR_CLUSTER_ID"] == "staging"
    assert environment["ALEMBIC_OPERATOR_DEVELOPMENT_NAMESPACES"] == "shop"


def test_policies_of_a_namespaced_install_are_for_its_namespaces(cluster: Cluster) -> None:
    policies = [each for each in render(cluster, NAMESPACED) if each["kind"] == "ValidatingAdmissionPolicy"]
    values = [
        policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"][0]["values"] for policy in policies
    ]

    assert values == [["shop", "billing"]] * 8


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"watchNamespaces": ["shop"]}, "clusterId is required with watchNamespaces"),
        ({"serviceAccount": {"create": False}}, "serviceAccount.name is required when serviceAccount.create is false"),
        ({"workers": 0}, "at '/workers': minimum: got 0, want 1"),
        ({"replica": 2}, "additional properties 'replica' not allowed"),
    ],
)
def test_install_is_refused_in_plain_words_when_a_value_is_wrong(
    cluster: Cluster, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandFailed) as failed:
        render(cluster, values)

    assert words in failed.value.said


def test_image_is_pinned_when_a_digest_is_given(cluster: Cluster) -> None:
    digest = "sha256:" + "a" * 64
    values = {"image": {"repository": "r/operator", "digest": digest}, "runnerImage": {"repository": "r/x", "tag": "2"}}
    made = container(render(cluster, values))
    environment = {each["name"]: each.get("value") for each in made["env"]}

    assert made["image"] == f"r/operator@{digest}"
    assert environment["ALEMBIC_OPERATOR_RUNNER_IMAGE"] == "r/x:2"


def test_alert_keeps_prometheus_own_placeholders(cluster: Cluster) -> None:
    [rule] = [each for each in render(cluster, EVERYTHING) if each["kind"] == "PrometheusRule"]
    alerts = {each["alert"]: each for each in rule["spec"]["groups"][0]["rules"]}

    assert "{{ $labels.reason }}" in alerts["AlembicSchemaNeedsAPerson"]["annotations"]["summary"]
    assert "MigrationFailed" in alerts["AlembicSchemaNeedsAPerson"]["expr"]
