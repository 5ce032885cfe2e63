"""The story: an empty database comes to its newest revision, a release fails, is repaired, and goes to production.

What follows there, a release that is reviewed, is told by `review`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import places, review, shop, show
from .stage import Stage, apply, in_pod, job, set_image
from .watch import condition

if TYPE_CHECKING:
    from tests.cluster.lifecycle import Cluster

    from .install import Images

_NEW = "0015_user_locale"


@dataclass(frozen=True)
class Releases:
    """The shop's images: what it is now, the next release in two tries, and the one after it in two."""

    now: str
    broken: str
    repaired: str
    hasty: str
    careful: str


def releases(cluster: Cluster, built: Images) -> Releases:
    """Build what the story releases."""
    return Releases(
        now=built.shop,
        broken=shop.release(cluster, "broken"),
        repaired=shop.release(cluster, "repaired"),
        hasty=shop.release(cluster, "hasty", on="shop-repaired"),
        careful=shop.release(cluster, "careful", on="shop-repaired"),
    )


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
    review.tell(stage, images.hasty, images.careful)


def _first_contact(stage: Stage, images: Releases) -> None:
    show.chapter("1  An empty database, and the revision that it must have")
    shop.write_overlay("dev", shop.tagged(images.now, "v1"))
    show.output(shop.manifest(stage.cluster, "dev"))
    raw = apply(stage, "dev")
    show.say("The Job ran in the application's own image:")
    job(stage, raw)
    show.say("The tables are there:")
    show.tables(shop.tables(stage.server, places.DEV))


def _failure(stage: Stage, images: Releases) -> None:
    show.chapter("2  The shop gets customers; its next release has a migration that fails on them")
    show.output(in_pod(stage, places.DEV, images.now, "seed", "shop.seed"))
    image = shop.tagged(images.broken, "v2")
    show.say("0015_user_locale adds users.locale NOT NULL without a default. That works only on an empty table.")
    set_image("dev", image)
    raw = apply(stage, "dev")
    if condition(raw, "Stalled").get("reason") != "MigrationFailed":
        raise RuntimeError(f"the release was to fail, and did not: {condition(raw, 'Ready').get('message')}")
    names = [name for name, _, _ in shop.tables(stage.server, places.DEV)]
    left = "is not there" if "locales" not in names else "IS STILL THERE"
    show.say(f"Statement 1, CREATE TABLE locales, went through and was rolled back: the table {left}.")


def _repair(stage: Stage, images: Releases) -> None:
    show.chapter("3  The repair: the same revision with a default, in a new image")
    set_image("dev", shop.tagged(images.repaired, "v3"))
    apply(stage, "dev")


def _promotion(stage: Stage, images: Releases) -> None:
    show.chapter("4  Production: the same image by digest, one revision by name, and a plan before anything runs")
    show.say("The plan is tried in a shadow of the database. It has no errors, so it runs without an approval.")
    set_image("prod", images.repaired, _NEW)
    apply(stage, "prod")
    show.output(in_pod(stage, places.PROD, images.repaired, "seed", "shop.seed"))
    show.output(in_pod(stage, places.PROD, images.repaired, "smoke", "shop.smoke"))
    show.say("Both stages:")
    stage.kubectl("get", "databaseschemas", "--all-namespaces")
