"""The shop in a cluster: its namespaces and Secrets, its releases, and its own commands as Jobs."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import yaml
from psycopg import sql
from tests.cluster import images
from tests.cluster.processes import NotPossible

from . import places
from .install import apply
from .watch import JOBS, Watch, condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cluster.lifecycle import Cluster

    from .database import Server

_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def database_of(namespace: str) -> str:
    """The database, and its owner, of a stage."""
    return namespace.replace("-", "_")


def prepare(cluster: Cluster, server: Server, namespace: str) -> None:
    """Begin anew in a namespace: no DatabaseSchema, an empty database, and the Secret that leads to it.

    Raises:
        NotPossible: The namespace is there, and not the demo's.
    """
    found = cluster.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "json")
    if found and places.MARK not in json.loads(found)["metadata"].get("labels", {}):
        raise NotPossible(f"the namespace {namespace} exists and is not the demo's: delete it, or use another cluster")
    stage = namespace.removeprefix("shop-")
    cluster.kubectl("apply", "-f", places.DEPLOY / "overlays" / stage / "namespace.yaml")
    cluster.kubectl("label", "namespace", namespace, f"{places.MARK}=true", "--overwrite")
    cluster.kubectl("-n", namespace, "delete", places.RESOURCE, "--all")
    password = secrets.token_urlsafe(18)
    name = database_of(namespace)
    server.fresh_database(name, password)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": places.SECRET, "namespace": namespace},
        "stringData": {"uri": server.uri(name, name, password)},
    }
    apply(cluster, secret)


def release(cluster: Cluster, which: str, on: str = "shop") -> str:
    """Build a release of demo/release on top of another image of the shop; the new one by digest."""
    return images.build(
        places.RELEASE / which,
        places.RELEASE / "Dockerfile",
        name=f"shop-{which}",
        registry=cluster.registry,
        build_args={"SHOP_IMAGE": f"localhost/{on}"},
    )


def tagged(image: str, version: str) -> str:
    """A tag for a development namespace; another content gets another one, as nodes keep what they pulled."""
    return images.tag(image, f"{version}-{image.partition('@sha256:')[2][:7]}")


def write_overlay(stage: str, image: str, revision: str = "", **spec: Any) -> None:
    """Write a release into the stage's overlay, as `kustomize edit set image` does, and the rest into its patch."""
    overlay = places.DEPLOY / "overlays" / stage
    file = overlay / "kustomization.yaml"
    kustomization = yaml.safe_load(file.read_text())
    kustomization["images"] = [{"name": "shop", **_image(image)}]
    file.write_text(yaml.safe_dump(kustomization, sort_keys=False))
    spec |= {"revision": revision} if revision else {}
    if spec:
        patch = overlay / "databaseschema.yaml"
        schema = yaml.safe_load(patch.read_text())
        schema["spec"].update(spec)
        patch.write_text(yaml.safe_dump(schema, sort_keys=False))


def _image(image: str) -> dict[str, str]:
    name, at, digest = image.partition("@")
    if at:
        return {"newName": name, "digest": digest}
    name, _, tag = image.rpartition(":")
    return {"newName": name, "newTag": tag}


def manifest(cluster: Cluster, stage: str) -> str:
    """The DatabaseSchema of a stage, as `kubectl apply -k` sends it."""
    rendered = cluster.kubectl("kustomize", places.DEPLOY / "overlays" / stage)
    schemas = [item for item in yaml.safe_load_all(rendered) if item["kind"] == "DatabaseSchema"]
    return yaml.safe_dump(schemas[0], sort_keys=False, default_flow_style=None, width=100)


def run(cluster: Cluster, namespace: str, image: str, name: str, command: Sequence[str]) -> str:
    """Run a command of the application in a Job, with the Secret that the operator's Jobs use; what it printed."""
    job = f"shop-{name}"
    cluster.kubectl("-n", namespace, "delete", "job", job, "--ignore-not-found", "--wait")
    with Watch(cluster, JOBS, namespace, job) as watch:
        apply(cluster, _job(namespace, job, image, command))
        while True:
            _, raw = watch.next(timeout=120)
            if condition(raw, "Complete") or condition(raw, "Failed"):
                break
    said = cluster.kubectl("-n", namespace, "logs", f"job/{job}").strip()
    if condition(raw, "Failed"):
        raise RuntimeError(f"{' '.join(command)} failed in Job {job} of {namespace}: {said[-1500:]}")
    return said


def _job(namespace: str, name: str, image: str, command: Sequence[str]) -> dict[str, Any]:
    uri = {"secretKeyRef": {"name": places.SECRET, "key": "uri"}}
    container = {
        "name": "shop",
        "image": image,
        "command": list(command),
        "env": [{"name": "DATABASE_URL", "valueFrom": uri}],
        "securityContext": _SECURITY,
    }
    pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }


def tables(server: Server, namespace: str) -> list[tuple[str, int, int]]:
    """The tables of a stage's database in `public`: name, columns and rows."""
    with server.connect(database_of(namespace)) as connection:
        found = connection.execute(
            "SELECT table_name, count(*) FROM information_schema.columns"
            " WHERE table_schema = 'public' GROUP BY table_name ORDER BY table_name"
        ).fetchall()
        counted = []
        for name, columns in found:
            query = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name))
            row = connection.execute(query).fetchone()
            assert row is not None
            counted.append((name, columns, row[0]))
        return counted
