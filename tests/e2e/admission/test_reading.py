"""What docs/approving-from-git.md tells people to type, typed: a plan of 5 MiB of SQL is read whole, and checked."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.unit.api.manifests import PLAIN, changed
from tests.unit.api.plans import DIGEST, PLAIN_PLAN

from .conftest import DEVELOPMENT

DOCUMENT = Path(__file__).parents[3] / "docs" / "approving-from-git.md"
LINE = "ALTER TABLE orders ADD COLUMN c{at} text; -- é 列 {at}\n"
PARTS = ["".join(LINE.format(at=f"{part}_{at:05}") for at in range(14_200)) for part in range(6)]


def script() -> str:
    """The shell lines that read a plan's SQL, for our namespace."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    [found] = [block for block in blocks if "sha256sum" in block]
    return found.replace("-n shop ", f"-n {DEVELOPMENT} ").replace("dbs shop", "dbs read")


class Reader:
    """Runs the shell lines as an administrator."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(cluster.kubeconfig),
            "PATH": f"{cluster.bin}:{os.environ['PATH']}",
        }
        self._folder = folder

    def read(self) -> subprocess.CompletedProcess[str]:
        """Their end; the files lie in the folder."""
        return subprocess.run(
            ["bash", "-c", script()],
            cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture
def reader(cluster: Cluster, crd: None, namespaces: tuple[str, str], tmp_path: Path) -> Iterator[Reader]:
    """A plan whose SQL lies in six ConfigMaps of the largest size that the operator makes."""
    place = {"metadata.name": "read", "metadata.namespace": DEVELOPMENT}
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(changed(PLAIN, {**place, "spec.suspend": True})))
    uid = cluster.kubectl("-n", DEVELOPMENT, "get", "dbs", "read", "-o", "jsonpath={.metadata.uid}").strip()
    for part, text in enumerate(PARTS):
        cluster.kubectl("create", "-f", "-", stdin=json.dumps(config_map(part, text)))
    [owner] = PLAIN_PLAN["metadata"]["ownerReferences"]
    sql = [
        {"configMap": f"read-{at}", "sha256": hashlib.sha256(each.encode()).hexdigest()}
        for at, each in enumerate(PARTS)
    ]
    reference = {"name": "read", "uid": uid}
    owned = {"metadata.ownerReferences": [{**owner, **reference}], "spec.schemaRef": reference}
    cluster.kubectl(
        "create", "-f", "-", stdin=yaml.safe_dump(changed(PLAIN_PLAN, {**place, **owned, "spec.plan.sql": sql}))
    )
    status = {"status": {"plan": {"name": "read", "digest": DIGEST}}}
    cluster.kubectl(
        *("-n", DEVELOPMENT, "patch", "dbs", "read", "--subresource=status", "--type=merge", "-p", json.dumps(status))
    )
    yield Reader(cluster, tmp_path)
    names = [f"configmap/read-{at}" for at in range(len(PARTS))]
    cluster.kubectl("-n", DEVELOPMENT, "delete", "--ignore-not-found", "dbs/read", "splan/read", *names)


def config_map(part: int, text: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"read-{part}", "namespace": DEVELOPMENT},
        "immutable": True,
        "data": {"plan.sql": text},
    }


def test_plan_of_five_mebibytes_is_read_whole(reader: Reader, tmp_path: Path) -> None:
    ended = reader.read()

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(": OK") == len(PARTS)
    read = "".join((tmp_path / f"read-{part}.sql").read_text(encoding="utf-8") for part in range(len(PARTS)))
    assert len(read.encode()) >= 5 * 1024 * 1024
    assert read == "".join(PARTS)


def test_reading_ends_when_the_sql_is_not_the_plans(reader: Reader, cluster: Cluster) -> None:
    cluster.kubectl("-n", DEVELOPMENT, "delete", "configmap", "read-3")
    forged = config_map(3, PARTS[3].replace("3_00007", "3_66666"))
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(forged))

    ended = reader.read()

    assert ended.returncode == 1
    assert "read-3.sql: FAILED" in ended.stdout
    assert "read-4.sql" not in ended.stdout
