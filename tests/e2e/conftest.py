"""The one cluster of a test session: the one that the environment names, or one of the session's own."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.cluster.lifecycle import Cluster
from tests.cluster.owned import owned_cluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """A cluster that is up.

    With KUBECONFIG and IMAGE_REGISTRY it is that one, and stays. Else one of the run's own is started, and taken down
    after the last test of its folder, unless KEEP_CLUSTER is set.
    """
    kubeconfig, registry = os.environ.get("KUBECONFIG"), os.environ.get("IMAGE_REGISTRY")
    if kubeconfig and registry:
        yield _given(Path(kubeconfig), registry)
        return
    with owned_cluster("manifests") as started:
        yield started


def _given(kubeconfig: Path, registry: str) -> Cluster:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise pytest.UsageError("KUBECONFIG is set, but there is no kubectl on the PATH: add its folder, and helm's")
    return Cluster(
        name="",
        kubeconfig=kubeconfig,
        registry=registry,
        private_registry="",
        host_address=_own_address(kubeconfig),
        bin=Path(kubectl).parent,
        audit_log=Path(os.devnull),
    )


def _own_address(kubeconfig: Path) -> str:
    """This machine's address on the way to the API server: where pods are taken to reach what listens here."""
    server = urlsplit(yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((server.hostname or "", server.port or 443))  # sends nothing: it asks for the route only
        address: str = probe.getsockname()[0]
    return address
