"""The servers on the host: etcd, the API server, the controllers and the scheduler."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from . import daemons
from .credentials import folder_of, kubeconfig
from .processes import free_port, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from .instance import Instance

    Flags = dict[str, str | Path]

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def audit_log(instance: Instance) -> Path:
    """One JSON line a request: user, verb, objectRef, responseStatus."""
    return instance.state / "audit.log"


def start_etcd(instance: Instance, *, durable: bool = False) -> str:
    """Start etcd; gives its address. Without `durable` it never syncs its files."""
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    daemons.start(
        instance,
        "etcd",
        [
            instance.bin / "etcd",
            f"--data-dir={instance.state}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--log-level=warn",
            *([] if durable else ["--unsafe-no-fsync"]),
        ],
    )
    return client


def start_api_server(instance: Instance, etcd: str, *, audit: bool = True) -> None:
    """Start the API server; `wait_for_api` tells when it serves."""
    keys = folder_of(instance)
    flags: Flags = {
        "advertise-address": instance.host,
        "allow-privileged": "true",
        "authorization-mode": "Node,RBAC",
        "bind-address": instance.host,
        "client-ca-file": keys / "ca.crt",
        "enable-admission-plugins": "NodeRestriction",
        "etcd-servers": etcd,
        "kubelet-certificate-authority": keys / "ca.crt",
        "kubelet-client-certificate": keys / "apiserver-kubelet-client.crt",
        "kubelet-client-key": keys / "apiserver-kubelet-client.key",
        # Otherwise `kubectl logs` looks the node's name up in DNS.
        "kubelet-preferred-address-types": "InternalIP",
        "secure-port": "6443",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": keys / "service-account.key",
        "service-account-signing-key-file": keys / "service-account.key",
        "service-cluster-ip-range": instance.services,
        "tls-cert-file": keys / "apiserver.crt",
        "tls-private-key-file": keys / "apiserver.key",
    }
    if audit:
        policy = instance.state / "audit-policy.json"
        policy.write_text(json.dumps(AUDIT_POLICY))
        # One file: at the default of 100 MB a new one would begin, amid a long measurement.
        flags |= {"audit-policy-file": policy, "audit-log-path": audit_log(instance), "audit-log-maxsize": "10000"}
    daemons.start(instance, "kube-apiserver", _command(instance, "kube-apiserver", flags))


def start_controllers(instance: Instance) -> None:
    """Start the controllers and the scheduler."""
    keys = folder_of(instance)
    flags: Flags = {
        "kubeconfig": kubeconfig(instance, "controller-manager"),
        "leader-elect": "false",
        "secure-port": "0",
        "root-ca-file": keys / "ca.crt",
        "service-account-private-key-file": keys / "service-account.key",
        "cluster-signing-cert-file": keys / "ca.crt",
        "cluster-signing-key-file": keys / "ca.key",
        "use-service-account-credentials": "true",
    }
    daemons.start(instance, "kube-controller-manager", _command(instance, "kube-controller-manager", flags))
    flags = {"kubeconfig": kubeconfig(instance, "scheduler"), "leader-elect": "false", "secure-port": "0"}
    daemons.start(instance, "kube-scheduler", _command(instance, "kube-scheduler", flags))


def _command(instance: Instance, program: str, flags: Flags) -> list[str | Path]:
    return [instance.bin / program, *(f"--{name}={value}" for name, value in flags.items())]


def api_serves(instance: Instance, timeout: float = 2) -> bool:
    """Whether the API server says that it is ready."""
    try:
        trusted = ssl.create_default_context(cafile=str(folder_of(instance) / "ca.crt"))
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )
        with direct.open(f"{instance.api}/readyz", timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def wait_for_api(instance: Instance) -> None:
    """Wait until the API server serves; RuntimeError with its last lines where it ended instead."""

    def ready() -> bool:
        for part in ("etcd", "kube-apiserver"):
            if daemons.process_of(instance.name, part) is None:
                raise RuntimeError(f"{part} ended:\n{daemons.log_tail(instance, part)}")
        return api_serves(instance)

    wait_until(ready, f"the API server at {instance.api}", timeout=90, every=0.1)
