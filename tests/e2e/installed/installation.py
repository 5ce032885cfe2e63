"""The operator as its Helm chart installs it."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until

from .api import Api, Raw

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "alembic-operator"
NAMESPACE = "alembic-operator"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def make_namespace(cluster: Cluster, name: str, **labels: str) -> None:
    """A namespace, there or not, that enforces restricted pod security."""
    meta = {"name": name, "labels": {**RESTRICTED, **labels}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}))


@dataclass
class Installation:
    """One release of the chart.

    Attributes:
        images: By digest, under `operator` and `runner`.
        name: Of the release, and of its namespace.
    """

    cluster: Cluster
    api: Api
    images: Mapping[str, str]
    name: str = NAMESPACE
    values: dict[str, Any] = field(default_factory=dict)

    def install(self, **values: Any) -> None:
        """Install the chart, or change what is there, and wait until every replica is ready."""
        self.values |= values
        for key, image in (("image", "operator"), ("runnerImage", "runner")):
            repository, _, digest = self.images[image].partition("@")
            self.values[key] = {"repository": repository, "digest": digest}
        command = ("helm", "upgrade", "--install", self.name, CHART, "--namespace", self.name, "--values", "-")
        self.cluster.run(*command, stdin=json.dumps(self.values))
        self.wait_until_ready()

    def uninstall(self) -> None:
        """Remove the release, and wait until its pods are gone."""
        self.cluster.run("helm", "uninstall", self.name, "--namespace", self.name, "--ignore-not-found")
        wait_until(lambda: not self.pods(), "the operator's pods to go", 60, every=0.2)

    def scale(self, replicas: int) -> None:
        """Run as many replicas, and wait for it."""
        self.kubectl("scale", "deployment", self.deployment, f"--replicas={replicas}")
        wait_until(lambda: len(self.pods()) == replicas, f"{replicas} replicas", 60, every=0.1)
        if replicas:
            self.wait_until_ready()

    @property
    def deployment(self) -> str:
        """Its Deployment, Lease, ClusterRole and service account have this name."""
        return self.name if NAMESPACE in self.name else f"{self.name}-{NAMESPACE}"

    @property
    def account(self) -> str:
        """The user that the API server knows it as."""
        return f"system:serviceaccount:{self.name}:{self.deployment}"

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl in the operator's namespace."""
        return self.cluster.kubectl("-n", self.name, *arguments, stdin=stdin)

    def wait_until_ready(self) -> None:
        """Wait until the Deployment is what was asked for, and one replica leads."""
        self.kubectl("rollout", "status", f"deployment/{self.deployment}", "--timeout=90s")
        wait_until(self.leader, "a leader", 60, every=0.1)

    def pods(self) -> list[Raw]:
        """The operator's pods, those that are going too."""
        return self.api.list(
            f"/api/v1/namespaces/{self.name}/pods", labelSelector=f"app.kubernetes.io/instance={self.name}"
        )

    def staying(self) -> set[str]:
        """Names of the pods that are not going: one that a rollout has replaced may lead for a moment longer."""
        return {str(pod["metadata"]["name"]) for pod in self.pods() if "deletionTimestamp" not in pod["metadata"]}

    def leader(self) -> str:
        """The pod that holds the Lease, and stays; "" for none."""
        lease = self.api.get(f"/apis/coordination.k8s.io/v1/namespaces/{self.name}/leases/{self.deployment}")
        holder = str(lease["spec"].get("holderIdentity", "")) if lease else ""
        return holder if holder in self.staying() else ""

    def standby(self) -> str:
        """The pod that waits for the Lease, of two."""
        (standby,) = self.staying() - {self.leader()}
        return standby

    def wait_for_another_leader(self, than: str) -> str:
        """Wait until the Lease has changed hands; the pod that leads now."""

        def another() -> str:
            now = self.leader()
            return now if now != than else ""

        return wait_until(another, "another leader", 30, every=0.05)

    def process(self, pod: str) -> int:
        """The process id, on this machine, of the operator in a pod."""
        raw = next(raw for raw in self.pods() if raw["metadata"]["name"] == pod)
        return process_of(raw, "operator")

    def kill(self, pod: str = "") -> None:
        """Kill -9 the operator's process; the kubelet starts it again in the same pod."""
        os.kill(self.process(pod or self.leader()), signal.SIGKILL)

    def destroy(self, pod: str) -> float:
        """Kill -9 the operator and take its pod away, so that nothing of it comes back; the time of the kill."""
        process = self.process(pod)
        os.kill(process, signal.SIGSTOP)  # it must not notice, and give the Lease back, that its pod is deleted
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
        os.kill(process, signal.SIGKILL)
        return time.monotonic()

    def ending(self, pod: str) -> Raw | None:
        """How the container that ran before in a pod ended; None for none."""
        raw = next(raw for raw in self.pods() if raw["metadata"]["name"] == pod)
        ended: Raw | None = raw["status"]["containerStatuses"][0].get("lastState", {}).get("terminated")
        return ended

    def log(self, pod: str = "", *, previous: bool = False) -> str:
        """What a replica has printed; the leader's without a name."""
        path = f"/api/v1/namespaces/{self.name}/pods/{pod or self.leader()}/log"
        return self.api.text(path, previous=str(previous).lower()) or ""

    def metric(self, name: str, pod: str = "") -> float:
        """The sum of a metric's samples; `name` may select by labels."""
        _, body = self.ask("/metrics", 9090, pod)
        return sum(float(line.rpartition(" ")[2]) for line in body.splitlines() if line.startswith(name))

    def leads(self, pod: str) -> bool:
        """Whether a replica says that it leads."""
        return self.metric("alembic_operator_leader", pod) == 1

    def wait_until_seen(self, schemas: int) -> None:
        """Wait until the watch has listed more than so many DatabaseSchemas, and none is left to look at."""
        listed = 'alembic_operator_watch_events_total{event="LISTED",kind="DatabaseSchema"}'
        wait_until(lambda: self.metric(listed) > schemas, "the operator to have seen them all", 30, every=0.2)
        wait_until(lambda: self.metric("alembic_operator_queue_depth") == 0, "an empty queue", 30, every=0.2)

    def ask(self, path: str, port: int = 8080, pod: str = "") -> tuple[int, str]:
        """Code and body of an endpoint of a replica; the leader's without a name."""
        raw = next(raw for raw in self.pods() if raw["metadata"]["name"] == (pod or self.leader()))
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"http://{raw['status']['podIP']}:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def process_of(pod: Raw, container: str) -> int:
    """The first process, on this machine, of a container that runs."""
    statuses = pod["status"]["containerStatuses"]
    identity = next(s["containerID"] for s in statuses if s["name"] == container).rpartition("/")[2]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            inside = identity in (folder / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if inside:
            found.append(int(folder.name))
    assert found, f"no process of container {identity}"
    return min(found)
