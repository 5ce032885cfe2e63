"""A namespace and a database of one test: what people do there, and what they see.

What people do goes through kubectl, as theirs does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tests.cluster.lifecycle import Cluster
from tests.cluster.postgres import Postgres
from tests.cluster.processes import Found, wait_until

from .api import SCHEMAS, Api, Raw
from .histories import FOLDER, GATE
from .messages import plain

GROUP = "alembic-operator.dev"
STALLED = "No Job starts until the spec changes or the annotation alembic-operator.dev/retry-at gets a new value."
PASSWORD = "p@ss/w:rd"
ANNA = "anna@example.com"  # who approves
UNREVIEWED = {"mode": "Auto", "evidence": "Static"}  # one Job, which applies what is pending
REVIEWED: dict[str, Any] = {"mode": "OnFindings", "evidence": "Shadow"}  # the default: a plan in a shadow before it


@dataclass
class Place:
    """One namespace, one empty database, one role that owns it.

    Attributes:
        image: What `apply` takes the histories from.
        user: The role; the database has the same name.
    """

    cluster: Cluster
    api: Api
    server: Postgres
    image: str
    namespace: str
    user: str

    # What people do

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl in this namespace."""
        return self.cluster.kubectl("-n", self.namespace, *arguments, stdin=stdin)

    def create(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(listed))

    def secret(self, name: str = "db", **values: str) -> None:
        """The Secret with the connection; the URI of this place's database without values."""
        data = values or {"uri": self.uri()}
        self.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})

    def uri(self, password: str = PASSWORD) -> str:
        """The database as pods reach it."""
        return self.server.uri(self.user, self.user, password)

    def manifest(self, name: str, history: str, revision: str, **spec: Any) -> dict[str, Any]:
        """A DatabaseSchema of one of the histories; `migrations` adds to what is there, the rest replaces it."""
        migrations = {"image": self.image, "path": f"{FOLDER}/{history}", **spec.pop("migrations", {})}
        return {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "DatabaseSchema",
            "metadata": {"name": name, "annotations": spec.pop("annotations", {})},
            "spec": {
                "database": {"secretRef": {"name": "db"}},
                "migrations": migrations,
                "revision": revision,
                "retry": {"backoff": "1s"},
                "review": UNREVIEWED,
                **spec,
            },
        }

    def apply(self, history: str, revision: str, name: str = "shop", **spec: Any) -> None:
        """Apply such a DatabaseSchema."""
        self.create(self.manifest(name, history, revision, **spec))

    def reach(self, history: str, revision: str, name: str = "shop", **spec: Any) -> Raw:
        """Apply such a DatabaseSchema, and wait until the database is there; the status then."""
        self.apply(history, revision, name, **spec)
        return self.wait("UpToDate", name)

    def settle(self, names: list[str], history: str, revision: str, status: Raw) -> None:
        """DatabaseSchemas that an operator, which is away, has brought to this status before."""
        manifests = [self.manifest(name, history, revision) for name in names]
        self.create(*manifests)
        settled = [{**manifest, "status": status} for manifest in manifests]
        self.kubectl(
            *("apply", "--server-side", "--subresource=status", "--field-manager=alembic-operator"),
            *("--force-conflicts", "-f", "-"),
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": settled}),
        )
        assert {self.condition("Ready", name)["status"] for name in names} == {"True"}

    def patch(self, name: str = "shop", **spec: Any) -> None:
        """Change parts of a spec."""
        self.kubectl("patch", "dbs", name, "--type=merge", f"--patch={json.dumps({'spec': spec})}")

    def annotate(self, annotation: str, value: str, name: str = "shop") -> None:
        """Set one of our annotations."""
        self.kubectl("annotate", "dbs", name, "--overwrite", f"{GROUP}/{annotation}={value}")

    def set_quota(self, **hard: str) -> None:
        """Bound what the namespace may hold."""
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": hard}}
        self.create(quota)

    def lift_quota(self) -> None:
        """Take the bound away."""
        self.kubectl("delete", "resourcequota", "none")

    # What they see

    def schema(self, name: str = "shop") -> Raw:
        """The DatabaseSchema."""
        found = self.api.get(f"{SCHEMAS}/namespaces/{self.namespace}/databaseschemas/{name}")
        assert found is not None, f"{name} is not there"
        return found

    def status(self, name: str = "shop") -> dict[str, Any]:
        """Its status."""
        return dict(self.schema(name).get("status") or {})

    def condition(self, kind: str = "Ready", name: str = "shop") -> Raw:
        """One of its conditions; empty where it is not there."""
        return condition(self.schema(name), kind)

    def wait(self, reason: str, name: str = "shop", *, message: str = "", timeout: float = 60) -> Raw:
        """Wait until Ready has the reason, for the present spec, and a part of the message; the status then."""

        def there() -> Raw | None:
            schema = self.schema(name)
            ready = condition(schema, "Ready")
            current = ready.get("observedGeneration") == schema["metadata"]["generation"]
            fits = current and ready.get("reason") == reason and message in ready["message"]
            return schema["status"] if fits else None

        return self._until(there, f"{name} to be {reason}", timeout)

    def wait_for_status(
        self, holds: Callable[[Raw], Any], what: str, name: str = "shop", *, timeout: float = 60
    ) -> Raw:
        """Wait until this holds of the status; the status then."""

        def there() -> Raw | None:
            status = self.status(name)
            return status if holds(status) else None

        return self._until(there, f"{name}: {what}", timeout)

    def _until(self, there: Callable[[], Found | None], what: str, timeout: float) -> Found:
        try:
            return wait_until(there, what, timeout, every=0.1)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.story()}") from None

    def message(self, name: str = "shop") -> str:
        """Ready's message, without what differs from run to run."""
        return plain(self.condition("Ready", name)["message"])

    def conditions(self, name: str = "shop") -> dict[str, tuple[str, str]]:
        """Status and reason of every condition but Verified, which goes its own way beside a run."""
        found = self.status(name).get("conditions", [])
        return {c["type"]: (c["status"], c["reason"]) for c in found if c["type"] != "Verified"}

    def events(self, name: str = "shop") -> list[tuple[str, str, str]]:
        """Type, reason and message of each event of a DatabaseSchema, oldest first."""
        found = self.api.list(
            f"/api/v1/namespaces/{self.namespace}/events", fieldSelector="involvedObject.kind=DatabaseSchema"
        )
        ours = [event for event in found if event["involvedObject"]["name"] == name]
        ours.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))  # their times are whole seconds
        return [(event["type"], event["reason"], plain(event["message"])) for event in ours]

    def told(self, *reasons: str, name: str = "shop") -> list[tuple[str, str, str]]:
        """The events, once they have these reasons: they are posted after the status that a test has waited for."""

        def there() -> list[tuple[str, str, str]] | None:
            events = self.events(name)
            return events if [reason for _, reason, _ in events] == list(reasons) else None

        return self._until(there, f"{name} to tell {reasons}", 10)

    def jobs(self) -> list[Raw]:
        """The Jobs of the namespace, oldest first."""
        found = self.api.list(f"/apis/batch/v1/namespaces/{self.namespace}/jobs")
        return sorted(found, key=lambda job: int(job["metadata"]["annotations"][f"{GROUP}/attempt"]))

    def kinds(self) -> list[str]:
        """What each Job of the namespace does, oldest first."""
        listed = self.api.list(f"/apis/batch/v1/namespaces/{self.namespace}/jobs")
        listed.sort(key=lambda job: (job["metadata"]["creationTimestamp"], job["metadata"]["name"]))
        return [job["metadata"]["labels"][f"{GROUP}/run-kind"] for job in listed]

    def plans(self) -> list[Raw]:
        """The SchemaPlans of the namespace, oldest first."""
        found = self.api.list(f"{SCHEMAS}/namespaces/{self.namespace}/schemaplans")
        return sorted(found, key=lambda plan: (plan["metadata"]["creationTimestamp"], plan["metadata"]["name"]))

    def plan(self, name: str = "shop") -> Raw:
        """The plan that the status of a DatabaseSchema names."""
        found = self.api.get(f"{SCHEMAS}/namespaces/{self.namespace}/schemaplans/{self.status(name)['plan']['name']}")
        assert found is not None, f"the plan of {name} is not there"
        return found

    def sql(self, plan: Raw) -> str:
        """The whole SQL of a plan, as a reader puts it together from its ConfigMaps."""
        names = [part["configMap"] for part in plan["spec"]["plan"]["sql"]]
        return "".join(
            json.loads(self.kubectl("get", "configmap", name, "-o", "json"))["data"]["plan.sql"] for name in names
        )

    def let_approve(self, user: str) -> None:
        """Make somebody an approver here."""
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "alembic-approver"}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
        binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": user}}
        self.create({**binding, "roleRef": role, "subjects": [subject]})

    def decide(self, kind: str, user: str, name: str = "shop", reason: str = "") -> None:
        """Approve or reject the plan of a DatabaseSchema, as that user."""
        decision = {"type": kind, "by": user, **({"reason": reason} if reason else {})}
        patch = json.dumps({"spec": {"decision": decision}})
        plan = self.status(name)["plan"]["name"]
        self.kubectl("--as", user, "patch", "splan", plan, "--type=merge", f"--patch={patch}")

    def pods(self) -> list[Raw]:
        """The pods of the namespace."""
        return self.api.list(f"/api/v1/namespaces/{self.namespace}/pods")

    def logs(self) -> str:
        """What every pod of the namespace has printed that has started."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        started = [pod["metadata"]["name"] for pod in self.pods() if pod["status"]["phase"] != "Pending"]
        return "".join(self.api.text(f"{path}/{name}/log") or "" for name in started)

    def running_pod(self) -> str:
        """The name of the pod that runs."""
        return next(f"pod/{p['metadata']['name']}" for p in self.pods() if p["status"]["phase"] == "Running")

    def wait_for_log(self, text: str, timeout: float = 60) -> None:
        """Wait until a pod of the namespace has printed this."""
        self._until(lambda: {"": ""} if text in self.logs() else None, f"the log to have {text}", timeout)

    def wait_until_jobs_end(self, timeout: float = 60) -> None:
        """Wait until every Job of the namespace is finished."""

        def ended() -> Raw | None:
            jobs = self.jobs()
            return jobs[-1] if jobs and all(job["status"].get("conditions") for job in jobs) else None

        self._until(ended, "the Jobs to end", timeout)

    def everything_told(self) -> str:
        """All that anybody can read here."""
        return f"{self.schema()} {self.events()} {self.jobs()} {self.pods()} {self.logs()}"

    def story(self) -> str:
        """Everything that explains a failed test."""
        schemas = self.api.list(f"{SCHEMAS}/namespaces/{self.namespace}/databaseschemas")
        told = [json.dumps({s["metadata"]["name"]: s.get("status")}, indent=1) for s in schemas]
        pods = [json.dumps({p["metadata"]["name"]: p["status"].get("containerStatuses")}) for p in self.pods()]
        return "\n".join([*told, *map(str, self.events()), *pods])

    # The database

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with self.connect() as connection:
            return connection.execute(query).fetchall()

    def wait_for_rows(self, query: LiteralString, rows: list[tuple[Any, ...]], timeout: float = 60) -> None:
        """Wait until the database answers so."""
        self._until(lambda: {"": ""} if self.rows(query) == rows else None, f"{query} to give {rows}", timeout)

    def execute(self, statement: LiteralString) -> None:
        """Send a statement as the owner of the database."""
        with self.connect() as connection:
            connection.execute(statement)

    def set_password(self, password: str) -> None:
        """Give the role another password."""
        change = sql.SQL("ALTER ROLE {} PASSWORD {}")
        self.server.execute(change.format(sql.Identifier(self.user), sql.Literal(password)))

    def connect(self) -> psycopg.Connection:
        """A connection in autocommit mode."""
        return self.server.connect(self.user, self.user, PASSWORD)

    def orders(self) -> int:
        """How many rows the table `orders` has."""
        return int(self.rows("SELECT count(*) FROM orders")[0][0])

    def columns(self) -> list[str]:
        """The columns of the table `orders`."""
        query: LiteralString = (
            "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        return [str(row[0]) for row in self.rows(query)]

    def revisions(self) -> list[str]:
        """The rows of Alembic's version table."""
        return [str(row[0]) for row in self.rows("SELECT version_num FROM alembic_version ORDER BY 1")]

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Hold the gate of the history `gated`: its second revision stops amid its transaction until this ends."""
        with self.connect() as holder:
            holder.execute("SET application_name = 'gatekeeper'")
            holder.execute("SELECT pg_advisory_lock(%s)", [GATE])
            yield

    def wait_at_gate(self, timeout: float = 60) -> int:
        """Wait until a migration stands at the gate; the process id of its session."""
        query: LiteralString = (
            "SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
            " AND NOT l.granted AND a.datname = current_database()"
        )
        try:
            return int(wait_until(lambda: self.rows(query), "a migration at the gate", timeout, every=0.1)[0][0])
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.story()}") from None

    def sessions(self) -> int:
        """How many sessions of migrations the database has."""
        query: LiteralString = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'alembic-operator/%'"
        )
        return int(self.rows(query)[0][0])


def condition(schema: Raw, kind: str) -> Raw:
    """One of a DatabaseSchema's conditions; empty where it is not there."""
    found: list[Raw] = (schema.get("status") or {}).get("conditions") or []
    empty: Raw = {}
    return next((one for one in found if one["type"] == kind), empty)


Places = Callable[..., AbstractContextManager[Place]]
