"""Where the story happens, and what is done there: releases applied and watched, the application's own commands run."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cluster.processes import NotPossible
from tests.cluster.progress import console

from . import places, shop, show, target
from .watch import JOBS, SCHEMAS, Raw, Watch, condition, observed, settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.lifecycle import Cluster

    from .database import Server

_JOB_COLUMNS = (
    "custom-columns=JOB:.metadata.name,SUCCEEDED:.status.succeeded,"
    "STARTED:.status.startTime,COMPLETED:.status.completionTime,IMAGE:.spec.template.spec.containers[0].image"
)


@dataclass(frozen=True)
class Stage:
    """A cluster, and a server with a database for each namespace."""

    cluster: Cluster
    server: Server

    def kubectl(self, *arguments: str) -> str:
        """Show a command and what it says."""
        show.command(shlex.join(["kubectl", *arguments]))
        said = self.cluster.kubectl(*arguments)
        show.output(said)
        return said


def set_image(overlay: str, image: str, revision: str = "", **spec: Any) -> None:
    """Write a release into an overlay, and say so."""
    shop.write_overlay(overlay, image, revision, **spec)
    written = f"{revision} with " if revision else ""
    show.say(f"overlays/{overlay} now says {written}{image[:70]}{'…' if len(image) > 70 else ''}")


def apply(stage: Stage, overlay: str) -> Raw:
    """Apply an overlay, show the status as it changes, and give the state in which it settled."""
    folder = places.DEPLOY / "overlays" / overlay

    def sent() -> None:
        show.command(f"kubectl apply -k {folder}")
        stage.cluster.kubectl("apply", "-k", folder)

    return follow(stage, f"shop-{overlay}", sent)


def follow(stage: Stage, namespace: str, act: Callable[[], object], since: Raw | None = None) -> Raw:
    """Do something, show the status as it changes, and give the state in which it settled; not the state `since`."""
    before = since["metadata"]["resourceVersion"] if since else ""
    with Watch(stage.cluster, SCHEMAS, namespace, "shop") as watch:
        began = time.monotonic()
        act()
        applied = _generation(stage, namespace)
        told = ""
        with console.status("  waiting for the operator"):
            while True:
                at, raw = watch.next(timeout=120)
                said = str(condition(raw, "Ready").get("message", ""))
                if raw["metadata"]["generation"] < applied or raw["metadata"]["resourceVersion"] == before:
                    continue  # a watch begins with what was there before
                if observed(raw) and said != told:
                    show.moment(at - began, raw)
                    told = said
                if settled(raw):
                    return raw
                if condition(raw, "Ready").get("reason") == "DatabaseUnreachable":
                    raise NotPossible(
                        f"pods of this cluster do not reach PostgreSQL at {stage.server.host}:{stage.server.port}: "
                        f"set {target.DATABASE_HOST} to an address of this machine that they reach"
                    )


def _generation(stage: Stage, namespace: str) -> int:
    path = "jsonpath={.metadata.generation}"
    return int(stage.cluster.kubectl("-n", namespace, "get", places.RESOURCE, "shop", "-o", path))


def in_pod(stage: Stage, namespace: str, image: str, name: str, module: str) -> str:
    """Run a module of the application, and say so; what it printed."""
    show.say(f"In a pod of the application in {namespace}: python -m {module}")
    with console.status(f"  python -m {module}"):
        return shop.run(stage.cluster, namespace, image, name, ["python3", "-m", module])


def job(stage: Stage, raw: Raw) -> None:
    """Show the Job of the last run, once it says itself what the resource knew a second before."""
    namespace, name = raw["metadata"]["namespace"], raw["status"]["history"][0]["job"]
    with Watch(stage.cluster, JOBS, namespace, name) as watch, console.status("  waiting for the Job's own report"):
        while not condition(watch.next(timeout=30)[1], "Complete"):
            pass
    show.output(stage.cluster.kubectl("-n", namespace, "get", "job", name, "-o", _JOB_COLUMNS))
