"""The story: an empty database comes to its newest revision, a release fails, is repaired, and goes to production."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cluster.processes import NotPossible
from tests.cluster.progress import console

from . import places, shop, show, target
from .watch import JOBS, SCHEMAS, Raw, Watch, condition, observed, settled

if TYPE_CHECKING:
    from tests.cluster.lifecycle import Cluster

    from .database import Server
    from .install import Images

_JOB_COLUMNS = (
    "custom-columns=JOB:.metadata.name,SUCCEEDED:.status.succeeded,"
    "STARTED:.status.startTime,COMPLETED:.status.completionTime,IMAGE:.spec.template.spec.containers[0].image"
)
_NEW = "0015_user_locale"


@dataclass(frozen=True)
class Releases:
    """The shop's images: what it is now, and the next release in two tries."""

    now: str
    broken: str
    repaired: str


@dataclass(frozen=True)
class Stage:
    """Where it happens."""

    cluster: Cluster
    server: Server


def releases(cluster: Cluster, built: Images) -> Releases:
    """Build what the story releases."""
    return Releases(built.shop, shop.release(cluster, "broken"), shop.release(cluster, "repaired"))


def tell(stage: Stage, images: Releases) -> None:
    """Tell it, on the real thing."""
    version = json.loads(stage.cluster.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    show.chapter(
        f"Kubernetes {version}, PostgreSQL {stage.server.version()} at {stage.server.host}:{stage.server.port}"
    )
    show.say("alembic-operator runs in the namespace alembic-operator. It holds no database credential.")
    _first_contact(stage, images)
    _failure(stage, images)
    _repair(stage, images)
    _promotion(stage, images)


def _first_contact(stage: Stage, images: Releases) -> None:
    show.chapter("1  An empty database, and the revision that it should be at")
    shop.write_overlay("dev", shop.tagged(images.now, "v1"))
    show.output(shop.manifest(stage.cluster, "dev"))
    raw = _apply(stage, "dev")
    show.say("The Job ran in the application's own image:")
    _job(stage, raw)
    show.say("The tables are there:")
    show.tables(shop.tables(stage.server, places.DEV))


def _failure(stage: Stage, images: Releases) -> None:
    show.chapter("2  The shop gets customers; its next release has a migration that fails on them")
    show.output(_in_pod(stage, places.DEV, images.now, "seed", "shop.seed"))
    image = shop.tagged(images.broken, "v2")
    show.say("0015_user_locale adds users.locale NOT NULL without a default. An empty database takes that.")
    _set_image("dev", image)
    raw = _apply(stage, "dev")
    if condition(raw, "Stalled").get("reason") != "MigrationFailed":
        raise RuntimeError(f"the release was to fail, and did not: {condition(raw, 'Ready').get('message')}")
    names = [name for name, _, _ in shop.tables(stage.server, places.DEV)]
    left = "is not there" if "locales" not in names else "IS STILL THERE"
    show.say(f"Statement 1, CREATE TABLE locales, went through and was rolled back: the table {left}.")


def _repair(stage: Stage, images: Releases) -> None:
    show.chapter("3  The repair: the same revision with a default, in a new image")
    _set_image("dev", shop.tagged(images.repaired, "v3"))
    _apply(stage, "dev")


def _promotion(stage: Stage, images: Releases) -> None:
    show.chapter("4  Production: the same image by digest, one revision by name")
    _set_image("prod", images.repaired, _NEW)
    _apply(stage, "prod")
    show.output(_in_pod(stage, places.PROD, images.repaired, "seed", "shop.seed"))
    show.output(_in_pod(stage, places.PROD, images.repaired, "smoke", "shop.smoke"))
    show.say("Both stages:")
    show.command("kubectl get databaseschemas --all-namespaces")
    show.output(stage.cluster.kubectl("get", "databaseschemas", "--all-namespaces"))


def _set_image(overlay: str, image: str, revision: str = "") -> None:
    """Write a release into an overlay, and say so."""
    shop.write_overlay(overlay, image, revision)
    written = f"{revision} with " if revision else ""
    show.say(f"overlays/{overlay} now says {written}{image[:70]}{'…' if len(image) > 70 else ''}")


def _apply(stage: Stage, overlay: str) -> Raw:
    """Apply an overlay, show the status as it changes, and give the state in which it settled."""
    namespace, folder = f"shop-{overlay}", places.DEPLOY / "overlays" / overlay
    with Watch(stage.cluster, SCHEMAS, namespace, "shop") as watch:
        show.command(f"kubectl apply -k {folder}")
        began = time.monotonic()
        stage.cluster.kubectl("apply", "-k", folder)
        applied = _generation(stage, namespace)
        told = ""
        with console.status("  waiting for the operator"):
            while True:
                at, raw = watch.next(timeout=120)
                said = str(condition(raw, "Ready").get("message", ""))
                if raw["metadata"]["generation"] < applied:
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


def _in_pod(stage: Stage, namespace: str, image: str, name: str, module: str) -> str:
    show.say(f"In a pod of the application in {namespace}: python -m {module}")
    with console.status(f"  python -m {module}"):
        return shop.run(stage.cluster, namespace, image, name, ["python3", "-m", module])


def _job(stage: Stage, raw: Raw) -> None:
    """Show the Job of the last run, once it says itself what the resource knew a second before."""
    namespace, name = raw["metadata"]["namespace"], raw["status"]["history"][0]["job"]
    with Watch(stage.cluster, JOBS, namespace, name) as watch, console.status("  waiting for the Job's own report"):
        while not condition(watch.next(timeout=30)[1], "Complete"):
            pass
    show.output(stage.cluster.kubectl("-n", namespace, "get", "job", name, "-o", _JOB_COLUMNS))
