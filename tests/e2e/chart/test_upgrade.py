"""`helm upgrade` upgrades the CRDs, and `helm uninstall` keeps them: tried with the chart's template on another CRD."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cluster.lifecycle import Cluster

CHART = Path(__file__).parents[3] / "charts" / "alembic-operator"
NAMESPACE, RELEASE = "chart-upgrade", "upgrade"
NAME = "things.chart.example"
# One release may own what is of the whole cluster: everything but the CRD stays out.
VALUES = {"replicas": 0, "admissionPolicies": False, "rbac": {"create": False, "userRoles": False}}


@pytest.fixture
def chart(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """A copy of the chart that holds another CRD; the cluster is left as it was."""
    copy = tmp_path / "alembic-operator"
    shutil.copytree(CHART, copy)
    for file in (copy / "files" / "crds").iterdir():
        file.unlink()
    write(copy, ["old"])
    cluster.kubectl("create", "namespace", NAMESPACE)
    yield copy
    cluster.run("helm", "uninstall", RELEASE, "-n", NAMESPACE, "--ignore-not-found")
    cluster.kubectl("delete", "crd", NAME, "--ignore-not-found")
    cluster.kubectl("delete", "namespace", NAMESPACE)


def write(chart: Path, fields: list[str]) -> None:
    """Put a CRD with these fields into the chart."""
    schema = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": NAME},
        "spec": {
            "group": "chart.example",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }
    (chart / "files" / "crds" / "things.yaml").write_text(yaml.safe_dump(crd))


def fields(cluster: Cluster) -> set[str]:
    """The fields of the CRD on the cluster."""
    crd = json.loads(cluster.kubectl("get", "crd", NAME, "-o", "json"))
    return set(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"])


def helm(cluster: Cluster, *words: str | Path) -> str:
    """Run Helm on the release."""
    return cluster.run("helm", *words, "-n", NAMESPACE, stdin=json.dumps(VALUES))


def test_crd_is_upgraded_with_the_release_and_kept_when_it_goes(cluster: Cluster, chart: Path) -> None:
    helm(cluster, "install", RELEASE, chart, "--values", "-")
    assert fields(cluster) == {"old"}

    write(chart, ["old", "new"])
    helm(cluster, "upgrade", RELEASE, chart, "--values", "-")
    assert fields(cluster) == {"old", "new"}

    helm(cluster, "uninstall", RELEASE)
    assert fields(cluster) == {"old", "new"}


def test_notes_say_what_to_do_next(cluster: Cluster, chart: Path) -> None:
    said = helm(cluster, "install", RELEASE, chart, "--values", "-")

    assert f"kubectl -n {NAMESPACE} rollout status deployment/{RELEASE}-alembic-operator" in said
    assert "kubectl label namespace NAMESPACE alembic-operator.dev/environment=development" in said
    assert "The admission policies are off" in said
