"""What the benchmarks run on: a cluster of their own with the operator as Helm installs it, and a PostgreSQL."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo import install
from tests.cluster import images, lifecycle
from tests.cluster.postgres import Postgres
from tests.cluster.progress import step

from . import sessions
from .api import SECRETS, Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.lifecycle import Cluster

INSTANCE = "bench"
NAMESPACE = "bench"
PROJECT = "/bench"
_IMAGE = Path(__file__).parent / "image"


@dataclass(frozen=True)
class Bed:
    """It, ready."""

    cluster: Cluster
    api: Api
    server: Postgres
    image: str

    def database(self, name: str) -> None:
        """An empty database, a role that owns it, and the Secret `name` that leads to it; what was there goes."""
        password = secrets.token_urlsafe(12)
        self.server.drop_database(name)
        self.server.execute(f'DROP ROLE IF EXISTS "{name}"')
        self.server.create_role(name, password)
        self.server.create_database(name, owner=name)
        uri = self.server.uri(name, name, password)
        secret = {"metadata": {"name": name}, "stringData": {"uri": uri}}
        self.api.request("POST", SECRETS.format(NAMESPACE), {"apiVersion": "v1", "kind": "Secret", **secret})

    def schema(self, name: str, config: str, revision: str, **spec: Any) -> dict[str, Any]:
        """A DatabaseSchema of that name for the database of that name; it is not reviewed unless `spec` says so."""
        return {
            "apiVersion": "alembic-operator.dev/v1alpha1",
            "kind": "DatabaseSchema",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "database": {"secretRef": {"name": name}},
                "migrations": {"image": self.image, "path": PROJECT, "configFile": config},
                "revision": revision,
                "review": {"mode": "Auto", "evidence": "Static"},
                **spec,
            },
        }

    def clear(self) -> None:
        """Remove what a benchmark made, so that the next one finds none of it."""
        self.cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=600)
        self.cluster.kubectl("create", "namespace", NAMESPACE)


@contextmanager
def made() -> Iterator[Bed]:
    """The bed; at its end the database server goes, and the cluster where it was not there before."""
    with ExitStack() as stack:
        found = lifecycle.find(INSTANCE)
        if found is None:
            stack.callback(lifecycle.down, INSTANCE)
        cluster = found or lifecycle.up(INSTANCE)
        built = install.build(cluster)
        arguments = {"SHOP_IMAGE": "localhost/shop"}
        image = images.build(_IMAGE, name="bench", registry=cluster.registry, build_args=arguments)
        install.install(cluster, built)
        with step("starting PostgreSQL 15"):
            server = stack.enter_context(Postgres(15, host=cluster.host_address, settings=sessions.SETTINGS))
        bed = Bed(cluster, Api(cluster.kubeconfig), server, image)
        with step("emptying the namespace bench"):
            bed.clear()
        yield bed
