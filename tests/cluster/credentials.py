"""The cluster's certificates, its service-account key and its kubeconfigs."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from pathlib import Path

    from .instance import Instance

NODE = "n1"
_USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    "apiserver-kubelet-client": ("apiserver-kubelet-client", "system:masters"),
}


def folder_of(instance: Instance) -> Path:
    """Where the certificates, keys and kubeconfigs are."""
    return instance.state / "pki"


def kubeconfig(instance: Instance, user: str) -> Path:
    """The kubeconfig of one of the users."""
    return folder_of(instance) / f"{user}.kubeconfig"


def issue(instance: Instance) -> None:
    """Make a new certificate authority and everything that it signs."""
    folder = folder_of(instance)
    folder.mkdir(mode=0o700)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    _write_key(folder / "ca.key", authority.private_key_pem.bytes())
    names = ("localhost", "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    _write(folder / "apiserver", authority.issue_cert(*names, instance.host, instance.first_service))
    _write(folder / "kubelet-server", authority.issue_cert(NODE, instance.node))
    for user, (name, group) in _USERS.items():
        # With an empty list of alternative names, which is critical, the API server refuses the certificate.
        certificate = authority.issue_cert("client.invalid", common_name=name, organization_name=group or None)
        _write(folder / user, certificate)
        kubeconfig(instance, user).write_text(json.dumps(_kubeconfig(instance, user)))
        kubeconfig(instance, user).chmod(0o600)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(
        folder / "service-account.key",
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
    )


def _write(path: Path, certificate: trustme.LeafCert) -> None:
    certificate.cert_chain_pems[0].write_to_path(f"{path}.crt")
    _write_key(path.with_suffix(".key"), certificate.private_key_pem.bytes())


def _write_key(path: Path, key: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key)


def _kubeconfig(instance: Instance, user: str) -> dict[str, object]:
    folder = folder_of(instance)

    def text_of(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    server = {"server": instance.api, "certificate-authority-data": text_of("ca.crt")}
    identity = {"client-certificate-data": text_of(f"{user}.crt"), "client-key-data": text_of(f"{user}.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": instance.name,
        "contexts": [{"name": instance.name, "context": {"cluster": instance.name, "user": user}}],
        "clusters": [{"name": instance.name, "cluster": server}],
        "users": [{"name": user, "user": identity}],
    }
