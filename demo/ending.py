"""What the demo says last: what to try, or what an interruption left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.cluster import instance
from tests.cluster.progress import console

from . import database, lasting, places, review, shop, show

if TYPE_CHECKING:
    from tests.cluster.lifecycle import Cluster

    from .database import Server

REMEDY = "make demo-down"


def what_to_try(cluster: Cluster, server: Server) -> list[tuple[str, list[str]]]:
    """Sentences, each with the commands that show it; every one of them works as it is printed."""
    environment = []
    if os.environ.get("KUBECONFIG") != str(cluster.kubeconfig):
        environment.append(f"export KUBECONFIG={cluster.kubeconfig}")
    if str(cluster.bin) not in os.environ.get("PATH", "").split(":"):
        environment.append(f'export PATH={cluster.bin}:"$PATH"')
    dev = f"kubectl -n {places.DEV}"
    path = "jsonpath={.status.history[0].job}"
    job = cluster.kubectl("-n", places.DEV, "get", places.RESOURCE, "shop", "-o", path)
    return [
        ("Use the cluster:", environment),
        (
            "Read on the resource what happened:",
            [
                f"{dev} describe dbs shop",
                f"{dev} logs job/{job}",
                "kubectl explain dbs.status",
            ],
        ),
        *_reviews(cluster),
        (
            "Declare a revision that does not exist, read why the resource is Stalled, and revert it:",
            [
                f"""{dev} patch dbs shop --type merge -p '{{"spec":{{"revision":"nonsense"}}}}'""",
                f"{dev} wait dbs shop --for=condition=Stalled --timeout=60s && {dev} get dbs shop -o wide",
                f"kubectl apply -k {places.DEPLOY}/overlays/dev",
            ],
        ),
        (
            "Try to run a tag in production; admission refuses it:",
            [
                f"kubectl -n {places.PROD} patch dbs shop --type merge "
                """-p '{"spec":{"migrations":{"image":"registry.example/shop:latest"}}}'"""
            ],
        ),
        (
            "Look into the database, as its superuser:",
            [f"psql -h {server.folder} -p {server.port} -U postgres {shop.database_of(places.DEV)} -c '\\dt'"],
        ),
        ("Run the demo again, or remove it:", ["make demo", REMEDY]),
    ]


def _reviews(cluster: Cluster) -> list[tuple[str, list[str]]]:
    """The plans that there are, and one more to decide on."""
    prod = f"kubectl -n {places.PROD}"
    plan = cluster.kubectl("-n", places.PROD, "get", places.RESOURCE, "shop", "-o", "jsonpath={.status.plan.name}")
    waits = """jsonpath='{.status.conditions[?(@.type=="Ready")].reason}'=AwaitingApproval"""
    return [
        (
            "Read the plans, and the whole SQL of the last one with its effects in the shadow:",
            [
                f"{prod} get splan",
                f"{prod} describe splan {plan}",
                f"{prod} get configmap {plan}-0 -o jsonpath='{{.data.plan\\.sql}}'",
            ],
        ),
        (
            "Drop the table once more: the plan waits until you approve it:",
            [
                f"""{prod} patch dbs shop --type merge -p '{{"spec":{{"revision":"{review.CAREFUL}"}}}}'""",
                f"{prod} wait dbs shop --for={waits} --timeout=60s",
                f"""plan=$({prod} get dbs shop -o jsonpath='{{.status.plan.name}}'); {prod} describe splan "$plan\"""",
                "me=$(kubectl auth whoami -o jsonpath='{.status.userInfo.username}')",
                f"""{prod} patch splan "$plan" --type merge """
                r"""-p '{"spec":{"decision":{"type":"Approve","by":"'"$me"'"}}}'""",
                f"{prod} wait dbs shop --for=condition=Ready --timeout=60s && {prod} get dbs,splan",
            ],
        ),
    ]


def say_what_to_try(cluster: Cluster, server: Server) -> None:
    """Print it."""
    show.chapter("Everything keeps running. What to try next")
    for sentence, commands in what_to_try(cluster, server):
        if commands:
            show.say(sentence)
            show.command(*commands)


def left_over() -> list[str]:
    """What is there now that the demo made."""
    found = []
    if instance.known(places.INSTANCE) is not None:
        found.append("the cluster demo")
    left = lasting.read()
    if left.kubeconfig:
        found.append(f"the operator and the namespaces shop-dev and shop-prod in the cluster of {left.kubeconfig}")
    server = database.find(places.POSTGRES)
    if server is not None:
        found.append(f"PostgreSQL on port {server.port}")
    elif places.STATE.exists():
        found.append(f"files in {places.STATE}")
    return found


def say_what_is_left() -> None:
    """Print what an interruption or a failure leaves, and how to remove it."""
    found = left_over()
    if found:
        console.print(f"Left: {', '.join(found)}. Run `make demo` again to go on, or remove it: {REMEDY}")
    else:
        console.print("Nothing of the demo is left.")
