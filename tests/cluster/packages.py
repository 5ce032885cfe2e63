"""Debian packages: installs what is missing, and starts no service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import NotPossible
from .progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# package -> a file that it brings
CLUSTER = {
    "ca-certificates": "/usr/sbin/update-ca-certificates",
    "conntrack": "/usr/sbin/conntrack",
    "containerd": "/usr/bin/containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "docker-registry": "/usr/bin/docker-registry",
    "iproute2": "/usr/sbin/ip",
    "iptables": "/usr/sbin/iptables",
    "nftables": "/usr/sbin/nft",
    "runc": "/usr/sbin/runc",
}
IMAGES = {
    "buildah": "/usr/bin/buildah",
    "busybox-static": "/usr/bin/busybox",
    "ca-certificates": "/usr/sbin/update-ca-certificates",
    "skopeo": "/usr/bin/skopeo",
}
PGBOUNCER = {"pgbouncer": "/usr/sbin/pgbouncer"}

_POLICY = Path("/usr/sbin/policy-rc.d")
_REFUSE = "#!/bin/sh\n# by alembic-operator's tests, while they install packages\nexit 101\n"


def check_machine() -> None:
    """Raise NotPossible, with the remedy, where the cluster cannot run."""
    if sys.platform != "linux":
        raise NotPossible("the test cluster needs Linux: run it in a Debian 12 virtual machine, or set KUBECONFIG")
    if os.geteuid() != 0:
        raise NotPossible("the test cluster needs root: run this with sudo, or set KUBECONFIG to a cluster of yours")


def ensure(wanted: Mapping[str, str]) -> None:
    """Install those of the packages whose file is missing."""
    missing = [package for package, file in wanted.items() if not Path(file).exists()]
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0:
        raise NotPossible(f"missing: {names}; run this as root, or: sudo apt-get install {names}")
    if shutil.which("apt-get") is None:
        raise NotPossible(f"missing, and there is no apt-get here: install the equivalents of {names}")
    with step(f"installing {names}"), _no_services():
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *missing)


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotPossible(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip()[-1500:]}")


@contextmanager
def _no_services() -> Iterator[None]:
    """Keep apt from starting what it installs; a policy that is there already stays as it is."""
    if _POLICY.exists() and _POLICY.read_text() != _REFUSE:
        yield
        return
    _POLICY.write_text(_REFUSE)  # ours may be there from a life that was killed: then it goes this time
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
