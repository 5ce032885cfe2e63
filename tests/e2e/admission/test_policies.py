"""The chart's admission policies: what needs the namespace or the requester, which no rule of a CRD sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until
from tests.unit.api.manifests import IMAGE, PLAIN, SIDECAR, changed

from .users import APPROVER, EDITOR, POD_CREATOR, rights_of, said

TAKE_OVER = "alembic-operator.dev/take-over"
NOT_PINNED = (
    "spec.migrations.image must be pinned by its digest (name@sha256:<64 hex>): tags are for namespaces with the label "
    "alembic-operator.dev/environment: development"
)
SIDECAR_NOT_PINNED = (
    "the image of each of spec.job.sidecars must be pinned by its digest (name@sha256:<64 hex>): tags are for "
    "namespaces with the label alembic-operator.dev/environment: development"
)
HEAD = (
    "spec.revision must be a revision's id: head and heads are for namespaces with the label "
    "alembic-operator.dev/environment: development"
)
MAY_NOT_CREATE_PODS = (
    "a DatabaseSchema runs an image with a Secret of its namespace, so creating one or changing its spec requires the "
    "right to create pods there: erin does not have it in {namespace}; ask for that right, or let somebody who has it "
    "apply the change"
)
MAY_NOT_APPROVE = (
    "the annotation alembic-operator.dev/take-over takes a database from its owner; outside development namespaces "
    "that requires the verb approve on schemaplans.alembic-operator.dev (the ClusterRole alembic-approver)"
)

USERS = {"erin": EDITOR, "dana": EDITOR + POD_CREATOR, "ada": EDITOR + POD_CREATOR + APPROVER}


class Requests:
    """Asks as a user, and gives what was said against it."""

    def __init__(self, cluster: Cluster, namespaces: tuple[str, str]) -> None:
        self._cluster = cluster
        self.development, self.production = namespaces

    def create(self, namespace: str, changes: dict[str, Any], user: str = "dana") -> str:
        """A DatabaseSchema, without making it."""
        manifest = changed(PLAIN, {"metadata.namespace": namespace, "metadata.generateName": "try-", **changes})
        del manifest["metadata"]["name"]
        return self._said("create", "--dry-run=server", "-f", "-", user=user, stdin=yaml.safe_dump(manifest))

    def change(self, patch: dict[str, Any], user: str) -> str:
        """A change of the DatabaseSchema `shop` in production, without making it."""
        words = ("-n", self.production, "patch", "dbs", "shop", "--type=merge", "--dry-run=server")
        return self._said(*words, "-p", yaml.safe_dump(patch), user=user)

    def _said(self, *words: str, user: str, stdin: str = "") -> str:
        return said(self._cluster, *words, user=user, stdin=stdin)


@pytest.fixture(scope="module")
def requests(cluster: Cluster, policies: None, namespaces: tuple[str, str]) -> Iterator[Requests]:
    """Three users with rights in both namespaces, a resource in production, and policies that are in force."""
    for namespace in namespaces:
        objects = [each for user, rules in USERS.items() for each in rights_of(user, namespace, rules)]
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    shop = changed(PLAIN, {"metadata.namespace": namespaces[1]})
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(shop))
    asking = Requests(cluster, namespaces)
    # The API server reads new policies some moments after they are stored.
    wait_until(
        lambda: (
            bool(asking.create(asking.production, {"spec.revision": "head"}))
            and bool(asking.change({"spec": {"suspend": True}}, "erin"))
            and bool(asking.change({"metadata": {"annotations": {TAKE_OVER: "x"}}}, "dana"))
        ),
        "the policies to be in force",
    )
    yield asking


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spec.migrations.image": "registry.example/shop:1"}, NOT_PINNED),
        ({"spec.job.sidecars": [SIDECAR, {"name": "b", "image": "registry.example/b:1"}]}, SIDECAR_NOT_PINNED),
        ({"spec.revision": "head"}, HEAD),
    ],
    ids=["a tag", "a sidecar's tag", "head"],
)
def test_what_may_change_unseen_is_refused_outside_development(
    requests: Requests, changes: dict[str, Any], message: str
) -> None:
    assert message in requests.create(requests.production, changes)
    assert not requests.create(requests.development, changes)


def test_migrations_in_a_config_map_are_taken_outside_development(requests: Requests) -> None:
    assert not requests.create(requests.production, {"spec.migrations": {"configMap": {"name": "shop"}}})


def test_editor_is_refused_when_they_may_not_create_pods(requests: Requests) -> None:
    answers = [requests.create(namespace, {}, "erin") for namespace in (requests.development, requests.production)]

    assert MAY_NOT_CREATE_PODS.format(namespace=requests.development) in answers[0]
    assert MAY_NOT_CREATE_PODS.format(namespace=requests.production) in answers[1]


def test_change_of_the_spec_is_refused_when_the_editor_may_not_create_pods(requests: Requests) -> None:
    patch = {"spec": {"suspend": True}}

    assert MAY_NOT_CREATE_PODS.format(namespace=requests.production) in requests.change(patch, "erin")
    assert not requests.change(patch, "dana")


def test_label_is_taken_when_the_spec_stays(requests: Requests) -> None:
    assert not requests.change({"metadata": {"labels": {"tool": "x"}}}, "erin")


def test_request_to_look_again_is_taken_from_who_may_not_create_pods(requests: Requests) -> None:
    assert not requests.change({"metadata": {"annotations": {"alembic-operator.dev/retry-at": "now"}}}, "erin")


def test_take_over_is_refused_when_the_requester_may_not_approve(requests: Requests) -> None:
    patch = {"metadata": {"annotations": {TAKE_OVER: "0f4c"}}}

    assert MAY_NOT_APPROVE in requests.change(patch, "dana")
    assert not requests.change(patch, "ada")


def test_take_over_at_creation_needs_an_approver_outside_development_only(requests: Requests) -> None:
    changes = {"metadata.annotations": {TAKE_OVER: "0f4c"}}

    assert MAY_NOT_APPROVE in requests.create(requests.production, changes)
    assert not requests.create(requests.development, changes)
    assert not requests.create(requests.production, {"metadata.annotations": {TAKE_OVER: ""}})


def test_new_image_is_refused_when_it_is_a_tag_outside_development(requests: Requests) -> None:
    assert NOT_PINNED in requests.change({"spec": {"migrations": {"image": "registry.example/shop:2"}}}, "dana")
    assert not requests.change({"spec": {"migrations": {"image": IMAGE.replace("shop", "shop2")}}}, "dana")


def test_policies_are_stored_without_a_warning_of_the_type_checker(cluster: Cluster, policies: None) -> None:
    listed = yaml.load(cluster.kubectl("get", "validatingadmissionpolicies", "-o", "yaml"), yaml.CSafeLoader)["items"]
    ours = [policy for policy in listed if policy["metadata"]["name"].startswith("admission-alembic-operator-")]

    assert len(ours) == 8
    assert not [policy["status"] for policy in ours if policy.get("status", {}).get("typeChecking")]
