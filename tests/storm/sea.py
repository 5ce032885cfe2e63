"""Where it storms: a cluster with the operator as its chart installs it, and a fleet of resources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import images
from tests.cluster.owned import owned_cluster
from tests.cluster.postgres_image import postgres_image
from tests.e2e.installed.api import Api
from tests.e2e.installed.installation import NAMESPACE, ROOT, Installation, make_namespace

from .fleet import VERSION, Fleet, fleet

DOCKERFILES = {"operator": "operator/Dockerfile", "runner": "operator/runner.Dockerfile"}


@contextmanager
def sea(size: int) -> Iterator[Fleet]:
    """A cluster of its own, since the operator would answer to the resources of others, and so many resources in it."""
    with owned_cluster("storm") as cluster:
        built = {
            name: images.build(ROOT, ROOT / file, name=name, registry=cluster.registry)
            for name, file in DOCKERFILES.items()
        }
        shadow = postgres_image(VERSION, registry=cluster.registry)
        api = Api(cluster)
        make_namespace(cluster, NAMESPACE)
        operator = Installation(cluster, api, built)
        operator.install(shadow={"images": {str(VERSION): shadow}})
        try:
            with fleet(cluster, api, operator, size) as made:
                yield made
        finally:
            api.close()
