"""The node: its own mount, network and UTS namespaces, with containerd, kubelet and kube-proxy in them.

No rule, route, sysctl or mount of the host changes, and all of it goes with the namespaces' last process.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from . import daemons
from .credentials import NODE, folder_of, kubeconfig
from .oci import write_archive
from .processes import checked, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .instance import Instance

PAUSE = "localhost/pause:1"

# What kubelet writes for the whole machine; it finds its values there already, in files of the node's own.
_KERNEL = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1}

_HOLDER = """
set -e
state=$1; shift
mount --make-rprivate /
mkdir -p "$state/parked"
mount --move /sys/fs/cgroup "$state/parked"
mount -t sysfs sysfs /sys
mount --move "$state/parked" /sys/fs/cgroup
mount --make-rshared /
# containerd, CNI and kubelet keep sockets, leases and logs at fixed places in these.
for place in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$place"; done
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops; do
  mount --bind "$state/kernel/$setting" "/proc/sys/$setting"
done
hostname "$1"; shift
exec "$@"
"""

_CONTAINERD = """
version = 2
root = "{state}/containerd/root"
state = "{state}/containerd/state"

[grpc]
address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{state}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
disable_apparmor = true
# Without CAP_SYS_RESOURCE no sandbox starts otherwise.
restrict_oom_score_adj = true
max_concurrent_downloads = 6

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{snapshotter}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{state}/cni"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{state}/registries"
"""


def socket_of(instance: Instance) -> Path:
    """Containerd's socket."""
    return instance.state / "containerd" / "socket"


def holder(instance: Instance) -> int:
    """The process that holds the node's namespaces."""
    pid = daemons.process_of(instance.name, "holder")
    if pid is None:
        raise RuntimeError(f"the node of {instance.name} is gone:\n{daemons.log_tail(instance, 'holder')}")
    return pid


def inside(instance: Instance, command: Sequence[str | Path]) -> list[str]:
    """The command line that runs `command` in the node's namespaces."""
    return ["nsenter", "-t", str(holder(instance)), "-m", "-n", "-u", "--wd=/", *(str(word) for word in command)]


def run_inside(instance: Instance, command: Sequence[str | Path], timeout: float = 60) -> str:
    """Run a command in the node's namespaces and give its output; CommandFailed when it fails."""
    return checked(inside(instance, command), timeout=timeout)


def make(instance: Instance) -> None:
    """Make the namespaces and the link between the node and the host."""
    for setting, value in _KERNEL.items():
        file = instance.state / "kernel" / setting
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    pause = instance.bin / "pause"
    script: list[str | Path] = ["/bin/sh", "-c", _HOLDER, "sh", instance.state, NODE, pause]
    daemons.start(instance, "holder", ["unshare", "-mnu", "--propagation", "private", *script])
    target = pause.resolve()
    wait_until(lambda: Path(f"/proc/{holder(instance)}/exe").resolve() == target, "the node's namespaces")
    _connect(instance)


def _connect(instance: Instance) -> None:
    ours, theirs = instance.host_link, instance.node_link
    checked(["ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", str(holder(instance))])
    checked(["ip", "address", "add", f"{instance.host}/24", "dev", ours])
    checked(["ip", "link", "set", ours, "up"])
    for command in (
        f"ip link set lo up; ip link set {theirs} up; ip address add {instance.node}/24 dev {theirs}",
        f"ip route add default via {instance.host}; echo 1 >/proc/sys/net/ipv4/ip_forward",
    ):
        run_inside(instance, ["/bin/sh", "-ec", command])
    for network in (instance.pods, instance.services):
        checked(["ip", "route", "add", network, "via", instance.node])


def start_containerd(instance: Instance) -> None:
    """Start containerd and give it the pause image."""
    state, socket = instance.state, socket_of(instance)
    socket.parent.mkdir()
    config = state / "containerd.toml"
    snapshotter = "overlayfs" if overlay_possible(state) else "native"
    config.write_text(_CONTAINERD.format(state=state, socket=socket, pause=PAUSE, snapshotter=snapshotter))
    (state / "cni").mkdir()
    (state / "cni" / "10-bridge.conflist").write_text(json.dumps(_network(instance)))
    daemons.start(instance, "containerd", inside(instance, ["containerd", "--config", config]))
    root = state / "pause"
    root.mkdir()
    (root / "pause").write_bytes((instance.bin / "pause").read_bytes())
    (root / "pause").chmod(0o755)
    archive = state / "pause.tar"
    write_archive(root, PAUSE, archive, entrypoint=["/pause"])

    def serves() -> bool:
        if daemons.process_of(instance.name, "containerd") is None:
            raise RuntimeError(f"containerd ended:\n{daemons.log_tail(instance, 'containerd')}")
        return socket.exists()

    wait_until(serves, "containerd's socket")
    load(instance, archive)


def load(instance: Instance, archive: Path) -> None:
    """Import the images of an archive into the node."""
    run_inside(instance, ["ctr", "-a", socket_of(instance), "-n", "k8s.io", "images", "import", archive], timeout=300)


def overlay_possible(folder: Path) -> bool:
    """Whether an overlay can lie in a folder; not on another overlay, as where this runs in a container."""
    return checked(["stat", "--file-system", "--format=%T", folder]).strip() != "overlayfs"


def _network(instance: Instance) -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": instance.pods}]]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, ports]}


def start_kubelet(instance: Instance) -> None:
    """Start kubelet and kube-proxy."""
    config = instance.state / "kubelet.json"
    config.write_text(json.dumps(_kubelet(instance)))
    (instance.state / "resolv.conf").touch()
    command: list[str | Path] = [
        instance.bin / "kubelet",
        f"--config={config}",
        f"--kubeconfig={kubeconfig(instance, 'kubelet')}",
        f"--root-dir={instance.state}/kubelet",
        f"--hostname-override={NODE}",
        f"--node-ip={instance.node}",
    ]
    daemons.start(instance, "kubelet", inside(instance, command))
    config = instance.state / "proxy.json"
    config.write_text(json.dumps(_proxy(instance)))
    command = [instance.bin / "kube-proxy", f"--config={config}"]
    daemons.start(instance, "kube-proxy", inside(instance, command))


def _kubelet(instance: Instance) -> dict[str, object]:
    keys = folder_of(instance)
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{keys}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": instance.cgroup,
        "containerRuntimeEndpoint": f"unix://{socket_of(instance)}",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": False,
        "maxOpenFiles": 20000,
        "maxPods": 250,
        "oomScoreAdj": 0,
        # Empty: a name server that does not answer holds Python up for 15 s.
        "resolvConf": f"{instance.state}/resolv.conf",
        "serializeImagePulls": False,
        "tlsCertFile": f"{keys}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{keys}/kubelet-server.key",
    }


def _proxy(instance: Instance) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(kubeconfig(instance, "proxy"))},
        "clusterCIDR": instance.pods,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "hostnameOverride": NODE,
        # Without br_netfilter pods of one bridge answer each other past the node, and a Service's answers untranslated.
        "nftables": {"masqueradeAll": True},
    }
