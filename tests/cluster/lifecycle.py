"""Brings an instance up and takes it down, whatever an earlier run left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import binary, control_plane, credentials, daemons, node, packages, registry
from .instance import ROOT, Instance, checked_name, claim, known, lock_of
from .locks import locked
from .processes import checked, wait_until
from .progress import step

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = frozenset(
    {
        *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
        *("holder", "containerd", "kubelet", "kube-proxy", "docker-registry", "private-registry"),
    }
)


@dataclass(frozen=True)
class Cluster:
    """A cluster that is up.

    Attributes:
        name: The instance.
        kubeconfig: The administrator's.
        registry: Where images are pushed to and pulled from, host and port; plain HTTP.
        private_registry: The same images, for `registry.USER` with `registry.PASSWORD` only.
        host_address: Where pods reach what listens on the host, such as PostgreSQL.
        bin: The folder with `kubectl` and `helm`.
        audit_log: The API server's, one JSON line a request; it stays empty without `audit`.
    """

    name: str
    kubeconfig: Path
    registry: str
    private_registry: str
    host_address: str
    bin: Path
    audit_log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to use this cluster."""
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "IMAGE_REGISTRY": self.registry,
            "PATH": f"{self.bin}:{os.environ.get('PATH', '')}",
        }

    def run(self, *command: str | Path, stdin: str = "", timeout: float = 120) -> str:
        """Run a command such as `helm` with this cluster's environment and give its output.

        Raises:
            CommandFailed: With what it said.
        """
        return checked(command, stdin=stdin, environment={**os.environ, **self.environment}, timeout=timeout)

    def kubectl(self, *arguments: str | Path, stdin: str = "", timeout: float = 120) -> str:
        """Run kubectl as the administrator and give its output; fails as `run` does."""
        return self.run(self.bin / "kubectl", *arguments, stdin=stdin, timeout=timeout)

    def node_run(self, *command: str | Path, timeout: float = 60) -> str:
        """Run a command in the node's namespaces: `nft`, `tc`, `ip`; CommandFailed when it fails."""
        return node.run_inside(self._instance(), command, timeout)

    def load(self, archive: Path) -> None:
        """Import the images of an OCI archive into the node, past the registry."""
        node.load(self._instance(), archive)

    def _instance(self) -> Instance:
        instance = known(self.name)
        if instance is None:
            raise RuntimeError(f"the cluster {self.name} is down")
        return instance


def find(name: str = "default") -> Cluster | None:
    """The cluster of that name when it is up and healthy, else None."""
    instance = known(name)
    if instance is None or not (instance.state / "up").exists():
        return None
    if not set(daemons.running(name).values()) >= PARTS or not control_plane.api_serves(instance):
        return None
    return _cluster(instance)


def _cluster(instance: Instance) -> Cluster:
    return Cluster(
        name=instance.name,
        kubeconfig=credentials.kubeconfig(instance, "admin"),
        registry=registry.address(instance),
        private_registry=registry.address(instance, "private-registry"),
        host_address=instance.host,
        bin=instance.bin,
        audit_log=control_plane.audit_log(instance),
    )


def up(name: str = "default", *, audit: bool = True, durable: bool = False) -> Cluster:
    """Start a cluster, or find the running one of that name.

    Args:
        name: The instance; several run side by side.
        audit: Have the API server write its audit log.
        durable: Have etcd sync its files, for tests that cut it off.

    Raises:
        NotPossible: This machine cannot; the message names the remedy.
    """
    packages.check_machine()
    checked_name(name)
    packages.ensure(packages.CLUSTER)
    programs = binary.programs()
    with locked(lock_of(name)):
        running = find(name)
        if running is not None:
            return running
        _remove(name)
        with step(f"starting the cluster {name}") as show:
            try:
                _start(claim(name), programs, audit=audit, durable=durable, show=show)
            except BaseException as problem:
                _keep_logs(name, problem)
                _remove(name)
                raise
    instance = known(name)
    assert instance is not None
    return _cluster(instance)


def _keep_logs(name: str, problem: BaseException) -> None:
    kept = binary.cache_folder() / "failed" / name
    shutil.rmtree(kept, ignore_errors=True)
    if isinstance(problem, Exception) and (ROOT / name / "logs").exists():
        shutil.copytree(ROOT / name / "logs", kept)
        problem.add_note(f"what the servers said: {kept}")


def _start(instance: Instance, programs: Path, *, audit: bool, durable: bool, show: Callable[[str], None]) -> None:
    _link_programs(instance, programs)
    credentials.issue(instance)
    show("etcd and the node's namespaces")
    etcd = control_plane.start_etcd(instance, durable=durable)
    node.make(instance)
    show("the API server")
    control_plane.start_api_server(instance, etcd, audit=audit)
    registry.start(instance)
    daemons.make_cgroups(instance)
    node.start_containerd(instance)
    control_plane.wait_for_api(instance)
    show("the controllers and kubelet")
    control_plane.start_controllers(instance)
    node.start_kubelet(instance)
    registry.wait(instance)
    show("the node to be ready")
    _wait_for_node(instance)
    (instance.state / "up").touch()


def _link_programs(instance: Instance, programs: Path) -> None:
    """Give the instance files of its own: the node does not see all of the host's folders."""
    instance.bin.mkdir()
    for file in programs.iterdir():
        mine = instance.bin / file.name
        if file.is_symlink():
            mine.symlink_to(file.readlink())
            continue
        try:
            mine.hardlink_to(file)
        except OSError:  # another disk
            shutil.copy(file, mine)


def _wait_for_node(instance: Instance) -> None:
    cluster = _cluster(instance)

    def ready() -> bool:
        alive = set(daemons.running(instance.name).values())
        for part in sorted(PARTS - alive):
            raise RuntimeError(f"{part} ended:\n{daemons.log_tail(instance, part)}")
        accounts = cluster.kubectl("get", "serviceaccounts", "-A", "-o", "name")
        nodes = json.loads(cluster.kubectl("get", "nodes", "-o", "json"))["items"]
        conditions = [condition for item in nodes for condition in item["status"]["conditions"]]
        return "serviceaccount/default" in accounts and any(
            condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
        )

    wait_until(ready, "the node to be ready", timeout=90, every=0.2)


def down(name: str = "default") -> bool:
    """Stop a cluster and remove every trace of it; False when there was none."""
    packages.check_machine()
    with locked(lock_of(name)):
        there = known(name) is not None or bool(daemons.running(name)) or (ROOT / name).exists()
        _remove(name)
    with suppress(OSError):  # other clusters, or others who wait for a lock
        ROOT.rmdir()
    return there


def _remove(name: str) -> None:
    """Remove what there is, in an order that works after a crash anywhere."""
    daemons.kill_all(name, spare="containerd")
    instance = known(name)
    if instance is not None:
        daemons.kill_pods(instance)
    daemons.kill_all(name)
    if instance is not None:
        daemons.remove_cgroups(instance)
        links = [path.name for path in sorted(Path("/sys/class/net").iterdir())]
        if instance.host_link in links:
            subprocess.run(["ip", "link", "delete", instance.host_link], capture_output=True, check=False)
    shutil.rmtree(ROOT / name, ignore_errors=True)
