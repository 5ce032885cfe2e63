"""The CRD on the cluster, a namespace of each kind, and a client that asks without changing anything."""

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

Ask = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="package")
def crd(cluster: Cluster) -> Iterator[None]:
    """The CRD as it lies in the repository; one that an installation brought is taken as it is, and stays."""
    present = cluster.kubectl("get", "crd", "databaseschemas.alembic-operator.dev", "--ignore-not-found")
    if not present:
        cluster.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    cluster.kubectl("wait", "--for=condition=Established", "-f", ROOT / "crds", "--timeout=20s")
    yield
    if not present:
        cluster.kubectl("delete", "-f", ROOT / "crds")


@pytest.fixture(scope="package")
def namespaces(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """A development namespace and another one."""
    for name in (DEVELOPMENT, PRODUCTION):
        cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", DEVELOPMENT, "alembic-operator.dev/environment=development")
    yield DEVELOPMENT, PRODUCTION
    cluster.kubectl("delete", "namespace", "--wait=false", DEVELOPMENT, PRODUCTION)


@pytest.fixture(scope="package")
def ask(cluster: Cluster, crd: None, namespaces: tuple[str, str]) -> Iterator[Ask]:
    """What the API server says of a DatabaseSchema in a development namespace; "" when it would take it."""
    untyped: Any = config
    with untyped.new_client_from_config(str(cluster.kubeconfig)) as connection:
        api = client.CustomObjectsApi(connection)

        def create(manifest: dict[str, Any]) -> str:
            try:
                api.create_namespaced_custom_object(
                    *("alembic-operator.dev", "v1alpha1", namespaces[0], "databaseschemas", manifest),
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
    """The chart's admission policies, for the two namespaces only: others' tests on the cluster go on as they were."""
    rendered = cluster.run(
        *("helm", "template", "admission", ROOT / "charts" / "alembic-operator", "--set", "clusterId=tests"),
        *("--set", f"watchNamespaces={{{','.join(namespaces)}}}"),
        *(word for name in ("pinned", "requester", "take-over") for word in ("-s", f"templates/admission/{name}.yaml")),
    )
    cluster.kubectl("apply", "-f", "-", stdin=rendered)
    yield
    cluster.kubectl("delete", "-f", "-", stdin=rendered)
