"""The operator in a cluster, as its users have it: images from the Dockerfiles, installed by Helm."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cluster import images
from tests.cluster.postgres_image import postgres_image
from tests.cluster.processes import CommandFailed
from tests.cluster.progress import step

from . import database, places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cluster.lifecycle import Cluster

_OPERATOR = places.ROOT / "operator"


@dataclass(frozen=True)
class Images:
    """What was built and pushed, each by digest."""

    operator: str
    runner: str
    shop: str
    shadow: str


def build(cluster: Cluster) -> Images:
    """Build the images of the operator, of the shop and of the shadow, and push them to the cluster's registry."""
    root, registry = places.ROOT, cluster.registry
    return Images(
        operator=images.build(root, _OPERATOR / "Dockerfile", name="operator", registry=registry),
        runner=images.build(root, _OPERATOR / "runner.Dockerfile", name="runner", registry=registry),
        shop=images.build(root, places.SHOP / "Dockerfile", name="shop", registry=registry),
        shadow=postgres_image(database.VERSION, registry=registry),
    )


def install(cluster: Cluster, built: Images, *values: str) -> None:
    """Install the operator, or upgrade it, and wait until it is ready."""
    arguments = [*_image("image", built.operator), *_image("runnerImage", built.runner), *values]
    command = ["upgrade", "--install", places.OPERATOR, str(places.CHART), "-n", places.OPERATOR, "--create-namespace"]
    settings = [word for value in arguments for word in ("--set", value)]
    # A key of digits is a list's index to --set; null takes an image of the defaults away, which cannot be pulled here.
    shadows = dict.fromkeys(("15", "16", "17", "18")) | {str(database.VERSION): built.shadow}
    settings += ["--set-json", f"shadow.images={json.dumps(shadows)}"]
    with step("installing the operator with Helm"):
        try:
            cluster.run(cluster.bin / "helm", *command, *settings, "--wait", "--timeout", "120s", timeout=150)
        except CommandFailed as failed:
            failed.add_note(_pods(cluster))
            raise


def _image(value: str, reference: str) -> list[str]:
    repository, _, digest = reference.partition("@")
    return [f"{value}.repository={repository}", f"{value}.digest={digest}"]


def _pods(cluster: Cluster) -> str:
    try:
        return cluster.kubectl("-n", places.OPERATOR, "get", "pods,events")
    except CommandFailed as failed:
        return str(failed)


def uninstall(cluster: Cluster, *, definitions: bool) -> None:
    """Remove the operator, and with `definitions` also the CRD that Helm leaves, with every resource of it."""
    cluster.run(
        cluster.bin / "helm", "uninstall", places.OPERATOR, "-n", places.OPERATOR, "--ignore-not-found", "--wait"
    )
    cluster.kubectl("delete", "namespace", places.OPERATOR, "--ignore-not-found")
    if definitions:
        cluster.kubectl("delete", "customresourcedefinition", places.RESOURCE, "--ignore-not-found")


def has_definitions(cluster: Cluster) -> bool:
    """Whether the cluster knows DatabaseSchemas."""
    return bool(cluster.kubectl("get", "customresourcedefinition", places.RESOURCE, "--ignore-not-found", "-o", "name"))


def copy_deploy(folder: Path) -> None:
    """A copy of the shop's manifests, in which releases can be written without touching the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(places.SHOP / "deploy", folder)


def apply(cluster: Cluster, *objects: Mapping[str, object]) -> None:
    """Apply objects given as Python dictionaries."""
    document = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(document))
