"""The CRDs on the cluster, a namespace of each kind, and a client that asks without changing anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from tests.cluster.lifecycle import Cluster

ROOT = Path(__file__).parents[3]
DEVELOPMENT, PRODUCTION = "admission-development", "admission-production"
MINIMUM = "alembic-operator.dev/minimum-review"
FLOORS = {"admission-required": "Required", "admission-findings": "OnFindings", "admission-mistyped": "required"}
PLURALS = {"DatabaseSchema": "databaseschemas", "SchemaPlan": "schemaplans"}

Ask = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="package")
def crd(cluster: Cluster) -> Iterator[None]:
    """The CRDs as they lie in the repository; those that an installation brought are taken as they are, and stay."""
    present = cluster.kubectl("get", "crd", "databaseschemas.alembic-operator.dev", "--ignore-not-found")
    if not present:
        cluster.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    cluster.kubectl("wait", "--for=condition=Established", "-f", ROOT / "crds", "--timeout=20s")
    yield
    if not present:
        cluster.kubectl("delete", "-f", ROOT / "crds")


@pytest.fixture(scope="package")
def namespaces(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """A development namespace and another one; and those of FLOORS, each with its label."""
    for name in (DEVELOPMENT, PRODUCTION, *FLOORS):
        cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", DEVELOPMENT, "alembic-operator.dev/environment=development")
    for name, minimum in FLOORS.items():
        cluster.kubectl("label", "namespace", name, f"{MINIMUM}={minimum}")
    yield DEVELOPMENT, PRODUCTION
    cluster.kubectl("delete", "namespace", "--wait=false", DEVELOPMENT, PRODUCTION, *FLOORS)


@pytest.fixture(scope="package")
def ask(cluster: Cluster, crd: None, namespaces: tuple[str, str]) -> Iterator[Ask]:
    """What the API server says of a manifest in a development namespace; "" when it would take it."""
    untyped: Any = config
    with untyped.new_client_from_config(str(cluster.kubeconfig)) as connection:
        api = client.CustomObjectsApi(connection)

        def create(manifest: dict[str, Any]) -> str:
            try:
                api.create_namespaced_custom_object(
                    *("alembic-operator.dev", "v1alpha1", namespaces[0], PLURALS[manifest["kind"]], manifest),
                    dry_run="All",
                    field_validation="Strict",
                )
            except client.ApiException as error:
                message: str = json.loads(error.body or "{}")["message"]
                return message
            return ""

        yield create


@pytest.fixture(scope="package")
def policies(cluster: Cluster, crd: None, namespaces: tuple[str, str]) -> Iterator[None]:
    """The chart's admission policies, for our namespaces only: others' tests on the cluster go on as they were."""
    chart = ROOT / "charts" / "alembic-operator"
    files = sorted((chart / "templates" / "admission").glob("*.yaml"))
    rendered = cluster.run(
        *("helm", "template", "admission", chart, "--set", "clusterId=tests"),
        *("--set", f"watchNamespaces={{{','.join([*namespaces, *FLOORS])}}}"),
        *(word for file in files for word in ("-s", f"templates/admission/{file.name}")),
    )
    cluster.kubectl("apply", "-f", "-", stdin=rendered)
    yield
    cluster.kubectl("delete", "-f", "-", stdin=rendered)
