"""The two images hold what they need and nothing that builds, installs or reaches what is not theirs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import images
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until

from alembic_operator.contract.plan import Direction, PlanDocument, Statement, Step, StepKind
from alembic_operator.runner.zipapp import build as runner_build

ROOT = Path(__file__).parents[3]
DOCKERFILES = {"operator": "Dockerfile", "runner": "runner.Dockerfile"}
OWN_MEGABYTES = 60  # on top of the base image, unpacked; a third of the operator's is squawk
PROBE = r"""
import hashlib, importlib.util, json, os, pathlib, shutil, stat, sys
packages = pathlib.Path(os.environ["PYTHONPATH"])
walk = [pathlib.Path(folder, name) for folder, folders, names in os.walk("/", onerror=None) for name in folders + names
        if not folder.startswith(("/proc", "/sys", "/dev", "/run"))]
modes = [(path, path.lstat().st_mode) for path in walk if path.exists() and not path.is_symlink()]
sources = [path for path in packages.rglob("*.py") if "bin" not in path.parts]
compiled = [pathlib.Path(importlib.util.cache_from_source(str(path))) for path in sources]
runner = pathlib.Path("/usr/share/alembic-operator/runner.pyz")
rules = []
if importlib.util.find_spec("alembic_operator"):
    import asyncio, datetime
    from alembic_operator.review.child_process import lint_in_child
    result = asyncio.run(lint_in_child(os.environ["PLAN"], datetime.date(2026, 11, 27)))
    rules = sorted({(finding.rule, finding.object) for finding in result.findings})
print(json.dumps({
    "uid": os.getuid(),
    "gid": os.getgid(),
    "name": __import__("pwd").getpwuid(os.getuid())[0],
    "modules": [name for name in sys.argv[1:] if importlib.util.find_spec(name)],
    "programs": [name for name in ("pip", "pip3", "uv", "gcc", "cc", "make", "git") if shutil.which(name)],
    "alembic_operator": sorted(path.name for path in (packages / "alembic_operator").glob("*") if path.is_dir()),
    "uncompiled": [str(path) for path in compiled if not path.exists() or path.read_bytes()[4] != 1][:5],
    "sources": len(sources),
    "setuid": [str(path) for path, mode in modes if mode & (stat.S_ISUID | stat.S_ISGID) and path.is_file()],
    "writable": [str(path) for path, mode in modes if mode & stat.S_IWOTH],
    "own_programs": [str(path.relative_to(packages)) for path in packages.glob("bin/*")],
    "bytes": sum(path.lstat().st_size for path in packages.rglob("*")),
    "runner": hashlib.sha256(runner.read_bytes()).hexdigest() if runner.exists() else "",
    "rules": rules,
}))
"""
ASKED = (
    *("pip", "ensurepip", "setuptools", "hatchling", "kopf", "kubernetes", "aiohttp", "structlog", "prometheus_client"),
    *("postgast", "google", "yaml"),
    *("alembic", "sqlalchemy", "psycopg", "psycopg2", "alembic_operator", "pytest"),
)

PLAN = PlanDocument(
    direction=Direction.UPGRADE,
    evidence="Static",
    from_revisions=["a1"],
    to_revisions=["b2"],
    inputs={},
    inputs_digest="",
    statements_digest="",
    digest="",
    bundle_digest="",
    journal_id=0,
    identity="",
    server_major=18,
    search_path=["public"],
    steps=[
        Step(
            "b2", StepKind.SQL, statements=[Statement("DROP TABLE orders"), Statement("ALTER SEQUENCE s OWNER TO app")]
        )
    ],
)


@dataclass(frozen=True)
class Image:
    """An image as it is inside, read by a pod with a read-only root that may not be root."""

    name: str
    reference: str
    inside: dict[str, Any]


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace that enforces restricted pods."""
    name = "images"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    cluster.kubectl("delete", "namespace", "--wait=false", name)


@pytest.fixture(scope="module", params=DOCKERFILES)
def image(request: pytest.FixtureRequest, cluster: Cluster, namespace: str) -> Image:
    """An image, built from its Dockerfile and looked into."""
    name: str = request.param
    reference = images.build(ROOT, ROOT / "operator" / DOCKERFILES[name], name=name, registry=cluster.registry)
    cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(_pod(name, reference)))
    wait_until(lambda: _phase(cluster, namespace, name) in {"Succeeded", "Failed"}, f"the pod {name} to end", 120, 0.5)
    said = cluster.kubectl("-n", namespace, "logs", name)
    return Image(name, reference, json.loads(said))


def _pod(name: str, reference: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": name,
                    "image": reference,
                    "command": ["python3", "-c", PROBE, *ASKED],
                    "env": [{"name": "PLAN", "value": PLAN.to_json()}],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def _phase(cluster: Cluster, namespace: str, name: str) -> str:
    return cluster.kubectl("-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.phase}")


def test_user_is_no_root_and_has_a_name(image: Image) -> None:
    assert (image.inside["uid"], image.inside["gid"], image.inside["name"]) == (65532, 65532, "nonroot")


def test_image_holds_its_own_packages_and_no_others(image: Image) -> None:
    wanted = {
        "operator": {
            *("kopf", "kubernetes", "aiohttp", "structlog", "prometheus_client", "alembic_operator"),
            *("postgast", "google", "yaml"),
        },
        "runner": {"alembic", "sqlalchemy", "psycopg"},
    }

    assert set(image.inside["modules"]) == wanted[image.name]


def test_image_holds_nothing_that_installs_or_builds(image: Image) -> None:
    assert not image.inside["programs"]


def test_operator_comes_without_what_runs_revisions_and_with_the_runners_file(image: Image, tmp_path: Path) -> None:
    file = tmp_path / "runner.pyz"
    runner_build.build(file)
    expected = hashlib.sha256(file.read_bytes()).hexdigest()

    if image.name == "operator":
        assert image.inside["alembic_operator"] == [
            "__pycache__",
            "api",
            "cluster",
            "contract",
            "control",
            "core",
            "review",
        ]
        assert image.inside["runner"] == expected
    else:
        assert not image.inside["alembic_operator"]
        assert not image.inside["runner"]


def test_plan_is_reviewed_when_the_image_is_the_operators(image: Image) -> None:
    # The second finding is squawk's, of whose statement no other rule speaks.
    found = [["destructive", "public.orders"], ["destructive", "public.s"]]
    assert image.inside["rules"] == (found if image.name == "operator" else [])
    assert image.inside["own_programs"] == (["bin/squawk"] if image.name == "operator" else [])


def test_modules_are_compiled_once_for_ever(image: Image) -> None:
    # Unchecked hashes: no file is compared at a start, and a read-only root file system costs nothing.
    assert image.inside["sources"] > 100
    assert not image.inside["uncompiled"]


def test_nothing_is_writable_or_privileged_but_the_temporary_folders(image: Image) -> None:
    assert not image.inside["setuid"]
    assert set(image.inside["writable"]) <= {"/tmp", "/var/tmp", "/var/lock", "/run/lock"}


def test_image_is_small(image: Image, record_property: Any, capsys: pytest.CaptureFixture[str]) -> None:
    own = image.inside["bytes"] / 1e6
    record_property(f"{image.name}_own_megabytes", round(own, 1))
    with capsys.disabled():
        print(f"\n{image.name}: {own:.1f} MB on top of the base image, {image.reference}")

    assert own < OWN_MEGABYTES
