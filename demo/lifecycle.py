"""Brings the demo up, and takes everything of it down."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.cluster import lifecycle as clusters
from tests.cluster.progress import console, step

from . import database, ending, install, lasting, places, shop, stage, story, target

if TYPE_CHECKING:
    from tests.cluster.lifecycle import Cluster


def up() -> None:
    """Set up what is not there yet, tell the story, and say what to try."""
    target.check_machine()
    chosen = target.find_or_build()
    cluster = chosen.cluster
    if not chosen.own:
        _remember(cluster)
    with step(f"starting PostgreSQL {database.VERSION}"):
        server = database.start(places.POSTGRES, cluster.host_address, everywhere=not chosen.own)
    built = install.build(cluster)
    images = story.releases(cluster, built)
    install.install(cluster, built)
    install.copy_deploy(places.DEPLOY)
    with step("preparing the namespaces shop-dev and shop-prod, with an empty database each"):
        for namespace in (places.DEV, places.PROD):
            shop.prepare(cluster, server, namespace)
    story.tell(stage.Stage(cluster, server), images)
    ending.say_what_to_try(cluster, server)


def _remember(cluster: Cluster) -> None:
    """Write down what `down` must remove from a cluster that stays."""
    before = lasting.read()
    if before.kubeconfig != str(cluster.kubeconfig):
        definitions = not install.has_definitions(cluster)
        lasting.write(lasting.Left(str(cluster.kubeconfig), cluster.registry, definitions))


def down() -> None:
    """Remove everything that `up` made, whatever interrupted it; images and programs stay cached."""
    target.check_machine()
    left = lasting.read()
    if left.kubeconfig:
        with step(f"removing the demo from the cluster of {left.kubeconfig}"):
            _leave(target.remembered(left), left)
    removed = database.remove(places.POSTGRES)
    there = clusters.down(places.INSTANCE)
    shutil.rmtree(places.STATE, ignore_errors=True)
    if removed or there or left.kubeconfig:
        console.print("The demo is down. Images and programs stay cached for the next time.")
    else:
        console.print("The demo was not up.")


def _leave(cluster: Cluster, left: lasting.Left) -> None:
    mine = f"{places.MARK}=true"
    cluster.kubectl("delete", "namespace", "--selector", mine, timeout=180)
    install.uninstall(cluster, definitions=left.definitions)
