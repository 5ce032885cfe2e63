"""A cluster of its own, with the operator installed by its chart from images built by its Dockerfiles."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import images
from tests.cluster.lifecycle import Cluster
from tests.cluster.owned import owned_cluster
from tests.cluster.postgres import VERSIONS, Postgres
from tests.cluster.postgres_image import postgres_image

from . import histories
from .api import Api
from .audit import Audit
from .installation import NAMESPACE, ROOT, Installation, make_namespace
from .place import ANNA, PASSWORD, Place, Places

DOCKERFILES = {
    "operator": "operator/Dockerfile",
    "runner": "operator/runner.Dockerfile",
    "shop": "examples/shop/Dockerfile",
}
TARGETS = ("histories", "without-alembic")


def pytest_configure(config: pytest.Config) -> None:
    """Name our marker."""
    config.addinivalue_line("markers", "late(order=0): runs after all tests without it, in this order")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests last that look at what the others did, or wait for what began long before."""
    late = {item: marker.kwargs.get("order", 0) for item in items if (marker := item.get_closest_marker("late"))}
    items.sort(key=lambda item: late.get(item, -1))


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """A cluster of our own with an audit log: the operator would answer to the resources of other tests."""
    with owned_cluster("e2e" + os.environ.get("PYTEST_XDIST_WORKER", "")) as started:
        yield started


@pytest.fixture(scope="package")
def built(cluster: Cluster) -> dict[str, str]:
    """Every image, by digest."""
    found = {
        name: images.build(ROOT, ROOT / file, name=name, registry=cluster.registry)
        for name, file in DOCKERFILES.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        histories.write(Path(folder) / "histories")
        dockerfile = Path(__file__).with_name("Dockerfile")
        for target in TARGETS:
            found[target] = images.build(
                Path(folder), dockerfile, name=target, registry=cluster.registry, target=target
            )
    return found


@pytest.fixture(scope="package")
def shadows(cluster: Cluster) -> dict[str, str]:
    """The images of the shadows by PostgreSQL's major version."""
    return {str(version): postgres_image(version, registry=cluster.registry) for version in VERSIONS}


@pytest.fixture(scope="package")
def api(cluster: Cluster) -> Iterator[Api]:
    """Reads from the API server."""
    reader = Api(cluster)
    yield reader
    reader.close()


@pytest.fixture(scope="package")
def audit(cluster: Cluster) -> Audit:
    """What the API server is asked from now on."""
    return Audit(cluster.audit_log)


@pytest.fixture(scope="package")
def operator(cluster: Cluster, api: Api, built: dict[str, str], shadows: dict[str, str], audit: Audit) -> Installation:
    """The operator in a namespace that enforces restricted pod security."""
    make_namespace(cluster, NAMESPACE)
    installed = Installation(cluster, api, built)
    installed.install(shadow={"images": shadows})
    return installed


@pytest.fixture(scope="package")
def server(cluster: Cluster) -> Iterator[Postgres]:
    """A PostgreSQL server that pods reach."""
    with Postgres(16, host=cluster.host_address) as running:
        yield running


@pytest.fixture(scope="package")
def places(cluster: Cluster, api: Api, server: Postgres, built: dict[str, str], operator: Installation) -> Places:
    """For a test that needs more than one place, another server, or a development namespace."""

    @contextmanager
    def make(on: Postgres = server, *, development: bool = False) -> Iterator[Place]:
        name = f"t{uuid.uuid4().hex[:8]}"
        labels = {"alembic-operator.dev/environment": "development"} if development else {}
        make_namespace(cluster, name, **labels)
        on.create_role(name, PASSWORD)
        on.create_database(name, owner=name)
        try:
            yield Place(cluster, api, on, built["histories"], name, name)
        finally:
            cluster.kubectl("delete", "namespace", name, "--wait=false")
            on.drop_database(name)

    return make


@pytest.fixture
def place(places: Places) -> Iterator[Place]:
    """A namespace with a Secret `db`, and an empty database that it names."""
    with places() as made:
        made.secret()
        yield made


@pytest.fixture(scope="package")
def newest(cluster: Cluster) -> Iterator[Postgres]:
    """A server of the version that a first plan takes its image for; it logs every statement."""
    settings = {"log_statement": "all", "log_line_prefix": "%u@%d %a: "}
    with Postgres(18, host=cluster.host_address, settings=settings) as running:
        yield running


@pytest.fixture
def shop(places: Places, newest: Postgres) -> Iterator[Place]:
    """A namespace with a Secret `db`, an approver, and an empty database of that server."""
    with places(newest) as place:
        place.secret()
        place.let_approve(ANNA)
        yield place
