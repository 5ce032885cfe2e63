"""What the storm goes over: DatabaseSchemas with a database each, and what of them is there to be hit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.lifecycle import Cluster
from tests.cluster.postgres import Postgres, Version
from tests.cluster.toxic import ToxicProxy
from tests.e2e.installed.api import SCHEMAS, Api, Raw
from tests.e2e.installed.installation import Installation, make_namespace
from tests.e2e.installed.place import PASSWORD, Place, condition

OURS = "app.kubernetes.io/managed-by=alembic-operator"
UID = "alembic-operator.dev/schema-uid"
VERSION: Version = 18  # what a first plan takes its shadow for
LAST = 60  # revisions of the history: more than a storm of hours goes through with one database
NAME = "shop"
# In turns: one Job without a plan; a plan that goes on by itself; a plan that somebody approves.
REVIEWS: tuple[dict[str, Any], ...] = (
    {"mode": "Auto", "evidence": "Static"},
    {"mode": "OnFindings", "evidence": "Shadow"},
    {"mode": "Required", "evidence": "Static"},
)


def revision(number: int) -> str:
    """The id of a revision."""
    return f"r{number:02}"


def _script(number: int) -> str:
    down = repr(revision(number - 1)) if number > 1 else None
    first = 'op.execute("CREATE TABLE ran (revision text NOT NULL)")' if number == 1 else "pass"
    return f"""from alembic import op

revision = {revision(number)!r}
down_revision = {down}


def upgrade():
    {first}
    op.execute("INSERT INTO ran VALUES ('{revision(number)}')")
    op.execute("SELECT pg_sleep(0.4)")
    op.execute("CREATE TABLE t_{revision(number)} (id bigint PRIMARY KEY)")


def downgrade():
    raise NotImplementedError
"""


@dataclass
class Member:
    """One DatabaseSchema, its namespace and its database.

    Attributes:
        target: the number of the revision that its spec names last.
        there: whether the resource is meant to be there.
    """

    place: Place
    review: dict[str, Any]
    target: int = 2
    there: bool = True

    def put(self) -> None:
        """Apply the resource as it is meant to be."""
        manifest = self.place.manifest(NAME, "", revision(self.target), review=self.review)
        manifest["spec"] |= {
            "migrations": {"configMap": {"name": "migrations"}},
            "retry": {"backoff": "1s", "limit": 100},
            "suspend": False,
        }
        self.place.create(manifest)
        self.there = True

    def find(self) -> Raw | None:
        """The resource."""
        return self.place.api.get(f"{SCHEMAS}/namespaces/{self.place.namespace}/databaseschemas/{NAME}")

    def ours(self, kind: str) -> list[Raw]:
        """What the operator made here: `jobs`, `pods`, `schemaplans` or `configmaps`."""
        group = {"jobs": "/apis/batch/v1", "schemaplans": SCHEMAS}.get(kind, "/api/v1")
        path = f"{group}/namespaces/{self.place.namespace}/{kind}"
        return self.place.api.list(path, labelSelector=OURS)


@dataclass
class Fleet:
    """All of it, and the servers that it lives on."""

    cluster: Cluster
    api: Api
    operator: Installation
    server: Postgres
    proxy: ToxicProxy
    members: list[Member] = field(default_factory=list)

    def add(self, number: int, review: dict[str, Any]) -> None:
        """A member with a namespace, a Secret and an empty database."""
        name = f"storm{number}"
        make_namespace(self.cluster, name)
        self.server.create_role(name, PASSWORD)
        self.server.create_database(name, owner=name)
        place = Place(self.cluster, self.api, self.server, "", name, name)
        place.secret(uri=place.uri().replace(f":{self.server.port}/", f":{self.proxy.port}/"))
        scripts = {f"{revision(number)}.py": _script(number) for number in range(1, LAST + 1)}
        meta = {"name": "migrations", "namespace": name}
        place.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "immutable": True, "data": scripts})
        self.members.append(Member(place, review))

    def approve(self) -> None:
        """Be the people who approve what waits for them."""
        for member in self.members:
            found = member.find() if member.there else None
            if found and condition(found, "Ready").get("reason") == "AwaitingApproval":
                member.place.patch(review={"approvedDigest": found["status"]["plan"]["digest"]})


@contextmanager
def fleet(cluster: Cluster, api: Api, operator: Installation, size: int) -> Iterator[Fleet]:
    """A fleet of so many members, with a server of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(Postgres(VERSION, host=cluster.host_address))
        proxy = stack.enter_context(ToxicProxy(cluster.host_address, server.port, host=cluster.host_address))
        made = Fleet(cluster, api, operator, server, proxy)
        for number in range(size):
            made.add(number, REVIEWS[number % len(REVIEWS)])
        yield made
