"""What the cluster of the tests promises, on a cluster of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import daemons, images, lifecycle, owned, registry
from .instance import ROOT, Instance, known
from .postgres import Postgres
from .processes import CommandFailed, NotPossible, as_service_user, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .lifecycle import Cluster

NAME, OTHER = owned.name_of("t"), owned.name_of("u")
REPOSITORY = Path(__file__).parents[2]
NAMESPACE = "tried"

# What a pod finds: its own image's file, the API server by its token, a PostgreSQL on the host.
PROBE = """
import json, os, socket, ssl, struct, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount"
request = urllib.request.Request(
    f"https://{os.environ['KUBERNETES_SERVICE_HOST']}/apis/authentication.k8s.io/v1/selfsubjectreviews",
    json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).encode(),
    {"Authorization": "Bearer " + open(f"{account}/token").read(), "Content-Type": "application/json"},
)
trusted = ssl.create_default_context(cafile=f"{account}/ca.crt")
answer = json.load(urllib.request.urlopen(request, context=trusted, timeout=10))
with socket.create_connection((os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])), 10) as database:
    database.sendall(struct.pack("!ii", 8, 80877103))  # may I use TLS? PostgreSQL answers S or N
    tls = database.recv(1).decode()
user = answer["status"]["userInfo"]["username"]
kept = open("/etc/pip.conf").read() if os.path.exists("/etc/pip.conf") else ""
print(json.dumps({"uid": os.getuid(), "user": user, "postgres": tls, "pip settings": kept}))
"""
DOCKERFILE = """ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY probe.py /probe.py
RUN python -c "import ssl, sqlite3, ctypes" && pip --version
USER 65534
CMD ["python", "/probe.py"]
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    owned.end_those_of_dead_runs()
    try:
        started = lifecycle.up(NAME)
    except NotPossible as reason:
        pytest.skip(str(reason))
    try:
        started.kubectl("create", "namespace", NAMESPACE)
        started.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        yield started
    finally:
        lifecycle.down(OTHER)
        lifecycle.down(NAME)


@pytest.fixture(scope="module")
def image(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = tmp_path_factory.mktemp("context")
    (context / "probe.py").write_text(PROBE)
    (context / "Dockerfile").write_text(DOCKERFILE)
    return images.build(context, name="probe", registry=cluster.registry)


def pod_spec(image: str, **more: Any) -> dict[str, Any]:
    """A pod that the restricted standard admits."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": image, "securityContext": security, **more.pop("container", {})}],
        **more,
    }


def create(cluster: Cluster, kind: str, name: str, version: str = "v1", **body: Any) -> None:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"name": name}}
    manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(manifest))


def get(cluster: Cluster, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.kubectl("-n", NAMESPACE, "get", *what, "-o", "json"))
    return found


def waiting_reason(cluster: Cluster, pod: str) -> str:
    statuses = get(cluster, "pod", pod)["status"].get("containerStatuses", [])
    return "".join(status["state"].get("waiting", {}).get("reason", "") for status in statuses)


def traces(instance: Instance) -> dict[str, list[Any]]:
    """What an instance has on this machine, by kind; all of it empty when there is nothing."""
    links = [path.name for path in Path("/sys/class/net").iterdir()]
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True).stdout
    return {
        "processes": list(daemons.running(instance.name)),
        "cgroups": [path for path in daemons.cgroups(instance) if path.exists()],
        "links": [link for link in links if link in {instance.host_link, instance.node_link}],
        "routes": [line for line in routes.splitlines() if re.search(rf"\b10\.\d+\.{instance.number}\.", line)],
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(instance.state) in line],
        "files": list(ROOT.glob(f"{instance.name}*")),
    }


def command(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """The command line, in the background."""
    words = [sys.executable, "-m", "tests.cluster", *arguments]
    return subprocess.Popen(words, cwd=REPOSITORY, stdout=-1, stderr=-1, text=True, **options)


def test_up_finds_the_same_cluster_at_once_when_it_runs(cluster: Cluster) -> None:
    before = daemons.running(NAME)
    began = time.monotonic()
    assert lifecycle.up(NAME) == cluster
    assert time.monotonic() - began < 2
    assert daemons.running(NAME) == before


def test_a_job_reaches_the_api_and_the_hosts_postgresql_when_run_by_digest(cluster: Cluster, image: str) -> None:
    assert re.fullmatch(rf"{re.escape(cluster.registry)}/probe@sha256:[0-9a-f]{{64}}", image)
    with Postgres(16, host=cluster.host_address) as server:
        place = {"DATABASE_HOST": server.host, "DATABASE_PORT": str(server.port)}
        environment = [{"name": name, "value": value} for name, value in place.items()]
        spec = pod_spec(image, container={"env": environment})
        create(cluster, "Job", "probe", "batch/v1", spec={"backoffLimit": 0, "template": {"spec": spec}})
        cluster.kubectl("-n", NAMESPACE, "wait", "--for=condition=Complete", "job/probe", "--timeout=60s")
    said = json.loads(cluster.kubectl("-n", NAMESPACE, "logs", "job/probe"))
    user = f"system:serviceaccount:{NAMESPACE}:default"
    assert said == {"uid": 65534, "user": user, "postgres": "N", "pip settings": ""}


def test_a_build_gives_the_same_digest_when_nothing_changed(cluster: Cluster, image: str, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    (tmp_path / "Other").write_text(DOCKERFILE)
    # A layer that was made again would have other times, and the image another digest.
    assert images.build(tmp_path, tmp_path / "Other", name="probe", registry=cluster.registry) == image


def test_the_builder_says_what_failed_when_a_dockerfile_fails(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN python -c "1/0"\n')
    with pytest.raises(CommandFailed, match="ZeroDivisionError"):
        images.build(tmp_path, name="broken", registry=cluster.registry)


def test_an_image_is_pulled_by_tag_and_with_a_secret_only_where_a_password_is_asked(
    cluster: Cluster, image: str
) -> None:
    secret = "the-password"
    access = [f"--docker-username={registry.USER}", f"--docker-password={registry.PASSWORD}"]
    server = f"--docker-server={cluster.private_registry}"
    cluster.kubectl("-n", NAMESPACE, "create", "secret", "docker-registry", secret, server, *access)
    tagged = images.tag(image, "v1").replace(cluster.registry, cluster.private_registry)
    sleeping = {"command": ["sleep", "600"]}
    create(cluster, "Pod", "stranger", spec=pod_spec(tagged, container=sleeping))
    create(cluster, "Pod", "friend", spec=pod_spec(tagged, container=sleeping, imagePullSecrets=[{"name": secret}]))
    cluster.kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "pod/friend", "--timeout=60s")
    wait_until(lambda: waiting_reason(cluster, "stranger") in {"ErrImagePull", "ImagePullBackOff"}, "the refusal")


def test_a_service_leads_to_its_pod_when_asked_from_a_pod_and_from_the_host(cluster: Cluster, image: str) -> None:
    serve = {"command": ["python", "-m", "http.server", "8080", "--directory", "/usr/local/bin"]}
    create(cluster, "Pod", "web", spec=pod_spec(image, container=serve))
    create(cluster, "Service", "web", spec={"selector": {"name": "web"}, "ports": [{"port": 80, "targetPort": 8080}]})
    create(cluster, "Pod", "client", spec=pod_spec(image, container={"command": ["sleep", "600"]}))
    cluster.kubectl("-n", NAMESPACE, "wait", "--for=condition=Ready", "pod/web", "pod/client", "--timeout=60s")
    address = get(cluster, "service", "web")["spec"]["clusterIP"]
    fetch = f"import urllib.request; print(urllib.request.urlopen('http://{address}/', timeout=5).status)"

    def answers(*prefix: str) -> bool:
        try:
            return cluster.run(*prefix, "-c", fetch).strip() == "200"
        except CommandFailed:
            return False  # refused until kube-proxy and the server in the pod are there

    for pod in ("web", "client"):
        inside = (str(cluster.bin / "kubectl"), "-n", NAMESPACE, "exec", pod, "--", "python")
        wait_until(partial(answers, *inside), f"the Service, from the pod {pod}", every=0.5)
    wait_until(lambda: answers(sys.executable), "the Service, from the host", every=0.5)


def test_a_privileged_pod_is_refused_when_the_namespace_is_restricted(cluster: Cluster, image: str) -> None:
    privileged = pod_spec(image, container={"securityContext": {"privileged": True}})
    with pytest.raises(CommandFailed, match='violates PodSecurity "restricted:latest": privileged'):
        create(cluster, "Pod", "privileged", spec=privileged)


def test_the_audit_log_names_user_verb_and_object_when_a_request_is_done(cluster: Cluster) -> None:
    with pytest.raises(CommandFailed, match="NotFound"):
        cluster.kubectl("get", "configmap", "never-there", "--as=somebody", "--as-group=system:masters")

    def logged() -> list[dict[str, Any]]:
        lines = cluster.audit_log.read_text().splitlines()
        return [json.loads(line) for line in lines if "never-there" in line and line.endswith("}")]

    record = wait_until(logged, "the audit log")[0]
    assert (record["stage"], record["verb"], record["responseStatus"]["code"]) == ("ResponseComplete", "get", 404)
    assert record["objectRef"]["resource"] == "configmaps"
    assert record["impersonatedUser"]["username"] == "somebody"


def test_helm_and_the_nodes_rules_are_at_hand(cluster: Cluster) -> None:
    assert json.loads(cluster.run(cluster.bin / "helm", "list", "-A", "-o", "json")) == []
    assert "kube-proxy" in cluster.node_run("nft", "list", "tables")
    assert cluster.environment["IMAGE_REGISTRY"] == cluster.registry
    with command("env", "--name", NAME) as process:
        assert process.stdout is not None
        assert f"export KUBECONFIG={cluster.kubeconfig}\n" in process.stdout.read()


def test_a_second_cluster_starts_over_what_a_killed_start_left_and_leaves_nothing(cluster: Cluster) -> None:
    with command("up", "--name", OTHER) as process:
        wait_until(lambda: "kube-apiserver" in daemons.running(OTHER).values(), "a half started cluster", every=0.01)
        process.send_signal(signal.SIGKILL)
    half = known(OTHER)
    assert half is not None
    assert all(traces(half)[kind] for kind in ("processes", "links", "files"))
    assert lifecycle.find(OTHER) is None

    other = lifecycle.up(OTHER)
    instance = known(OTHER)
    assert instance is not None
    assert other.host_address != cluster.host_address
    for one in (other, cluster):
        assert "Ready" in one.kubectl("get", "nodes", "--no-headers").split()
    assert all(traces(instance)[kind] for kind in ("processes", "cgroups", "links", "routes", "files"))

    assert lifecycle.down(OTHER)
    assert {kind: found for kind, found in traces(instance).items() if found} == {}
    assert not lifecycle.down(OTHER)
    assert lifecycle.find(NAME) == cluster


def test_an_interrupted_start_leaves_nothing() -> None:
    with command("up", "--name", OTHER) as process:
        wait_until(lambda: "kube-apiserver" in daemons.running(OTHER).values(), "a half started cluster", every=0.01)
        half = known(OTHER)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert half is not None
    assert {kind: found for kind, found in traces(half).items() if found} == {}
    assert process.returncode == 130
    assert said.splitlines()[-1] == "✗ interrupted; nothing of what was begun is left"


def test_one_line_names_the_remedy_when_not_root() -> None:
    words = as_service_user([sys.executable, "-m", "tests.cluster", "up", "--name", OTHER])
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "needs root: run this with sudo" in done.stderr
