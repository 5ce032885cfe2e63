"""Who may weaken a review, or approve by Git, on the real API server: field by field, and never below the floor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until
from tests.unit.api.manifests import DIGEST, PLAIN, changed

from .conftest import DEVELOPMENT, FLOORS, PRODUCTION
from .users import APPROVER, POD_CREATOR, of_the_chart, rights_of, said

EDITOR = of_the_chart("alembic-editor") + POD_CREATOR
USERS = {"eve": EDITOR, "abe": EDITOR + APPROVER}
DRY = "--dry-run=server"
SHA, OTHER_SHA = DIGEST[1:], "sha256:" + "f" * 64
POSTGIS, PGVECTOR = f"registry.example/postgis{DIGEST}", f"registry.example/pgvector{DIGEST}"
NEEDS = (
    "outside development namespaces requires the verb approve on schemaplans.alembic-operator.dev "
    "(the ClusterRole alembic-approver)"
)
GIT = f"approving a plan by spec.review.approvedDigest {NEEDS}"
RULE = f"lowering the severity of a rule in spec.review.rules {NEEDS}"
FAIL_ON = f"weakening spec.review.failOn from warning to error {NEEDS}"
EVIDENCE = f"weakening spec.review.evidence from Shadow to Static {NEEDS}"
NETWORK = f"weakening spec.review.network from Closed to Open {NEEDS}"
IMAGE = f"naming another spec.review.shadow.image, which produces the evidence, {NEEDS}"
NOT_PINNED = (
    "spec.review.shadow.image must be pinned by its digest (name@sha256:<64 hex>): tags are for namespaces with the "
    "label alembic-operator.dev/environment: development"
)
STRICT: dict[str, Any] = {
    "mode": "Required",
    "approvedDigest": SHA,
    "failOn": "warning",
    "rules": {
        "fk-index": "error",
        "jsonb": "warning",
        "rewrite": "error",
        "destructive": "error",
        "type-change": "error",
    },
    "shadow": {"image": POSTGIS},
}


def mode(before: str, after: str) -> str:
    return f"weakening spec.review.mode from {before} to {after} {NEEDS}"


class Reviews:
    """DatabaseSchemas by their reviews; nothing that is asked is made."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def create(self, user: str, review: dict[str, Any], namespace: str = PRODUCTION) -> str:
        """What is said against a new one."""
        place = {"metadata": {"generateName": "try-", "namespace": namespace}}
        manifest = changed(PLAIN, {**place, "spec.review": review})
        return said(self._cluster, "create", DRY, "-f", "-", user=user, stdin=yaml.safe_dump(manifest))

    def change(self, user: str, name: str, review: dict[str, Any] | None, namespace: str = PRODUCTION) -> str:
        """What is said against a change of one: `plain`, with a review of nothing but defaults, or `strict`."""
        words = (
            "-n",
            namespace,
            "patch",
            "dbs",
            name,
            "--type=merge",
            DRY,
            "-p",
            json.dumps({"spec": {"review": review}}),
        )
        return said(self._cluster, *words, user=user)


@pytest.fixture(scope="module")
def reviews(cluster: Cluster, policies: None, namespaces: tuple[str, str]) -> Iterator[Reviews]:
    """Two users with rights everywhere, two DatabaseSchemas, and policies that are in force."""
    for namespace in (*namespaces, *FLOORS):
        objects = [
            each for user, rules in USERS.items() for each in rights_of(user, namespace, rules, f"reviews-{user}")
        ]
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    for namespace in namespaces:
        for name, review in {"plain": {}, "strict": STRICT}.items():
            place = {"metadata.name": name, "metadata.namespace": namespace}
            manifest = changed(PLAIN, {**place, "spec.review": review, "spec.suspend": True})
            cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    asking = Reviews(cluster)
    # The API server reads new policies some moments after they are stored.
    wait_until(
        lambda: (
            bool(asking.create("eve", {"mode": "Auto"}))
            and all(asking.create("abe", {"mode": "Auto"}, floor) for floor in FLOORS)
            and bool(asking.create("abe", {"shadow": {"image": "postgis:17"}}))
        ),
        "the policies to be in force",
    )
    yield asking


def one_of_each(cases: dict[str, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One case of each message."""
    return list({case[-1]: case for case in cases.values()}.values())


CREATED_WEAKER: dict[str, tuple[Any, ...]] = {
    "an approved digest": ({"approvedDigest": SHA}, GIT),
    "no review": ({"mode": "Auto"}, mode("OnFindings", "Auto")),
    "a rule that is off": ({"rules": {"destructive": "off"}}, RULE),
    "an error as a warning": ({"rules": {"destructive": "warning"}}, RULE),
    "a warning that is off": ({"rules": {"fk-index": "off"}}, RULE),
    "an error in some cases as a warning": ({"rules": {"rewrite": "warning"}}, RULE),
    "one lowered beside others that are not": ({"rules": {"fk-index": "error", "snake-case": "off"}}, RULE),
    "no evidence": ({"evidence": "Static"}, EVIDENCE),
    "plan runs that reach anything": ({"network": "Open"}, NETWORK),
    "an image that makes the evidence": ({"shadow": {"image": POSTGIS}}, IMAGE),
}


@pytest.mark.parametrize(("review", "message"), CREATED_WEAKER.values(), ids=CREATED_WEAKER)
def test_review_weaker_than_the_defaults_is_refused_at_creation_when_the_requester_may_not_approve(
    reviews: Reviews, review: dict[str, Any], message: str
) -> None:
    assert message in reviews.create("eve", review)


@pytest.mark.parametrize("review", [case[0] for case in one_of_each(CREATED_WEAKER)])
def test_review_weaker_than_the_defaults_is_taken_from_an_approver_and_in_development(
    reviews: Reviews, review: dict[str, Any]
) -> None:
    assert not reviews.create("abe", review)
    assert not reviews.create("eve", review, DEVELOPMENT)


CHANGED_WEAKER: dict[str, tuple[Any, ...]] = {
    "an approved digest set": ("plain", {"approvedDigest": SHA}, GIT),
    "another digest approved": ("strict", {"approvedDigest": OTHER_SHA}, GIT),
    "Required to OnFindings": ("strict", {"mode": "OnFindings"}, mode("Required", "OnFindings")),
    "Required to Auto": ("strict", {"mode": "Auto"}, mode("Required", "Auto")),
    "OnFindings to Auto": ("plain", {"mode": "Auto"}, mode("OnFindings", "Auto")),
    "the mode left out": ("strict", {"mode": None}, mode("Required", "OnFindings")),
    "warnings that no longer count": ("strict", {"failOn": "error"}, FAIL_ON),
    "failOn left out": ("strict", {"failOn": None}, FAIL_ON),
    "a raised warning left out": ("strict", {"rules": {"fk-index": None}}, RULE),
    "a raised warning as a warning": ("strict", {"rules": {"fk-index": "warning"}}, RULE),
    "an error in some cases left out": ("strict", {"rules": {"rewrite": None}}, RULE),
    "an error that may be a warning left out": ("strict", {"rules": {"destructive": None}}, RULE),
    "a warning off": ("strict", {"rules": {"jsonb": "off"}}, RULE),
    "a rule off that was not named": ("strict", {"rules": {"uuid-pk": "off"}}, RULE),
    "an error off": ("plain", {"rules": {"not-null-without-backfill": "off"}}, RULE),
    "all rules left out": ("strict", {"rules": None}, RULE),
    "evidence": ("plain", {"evidence": "Static"}, EVIDENCE),
    "plan runs that may reach anything": ("plain", {"network": "Open"}, NETWORK),
    "a first image": ("plain", {"shadow": {"image": PGVECTOR}}, IMAGE),
    "another image": ("strict", {"shadow": {"image": PGVECTOR}}, IMAGE),
    "the whole review left out": ("strict", None, mode("Required", "OnFindings")),
}


@pytest.mark.parametrize(("name", "review", "message"), CHANGED_WEAKER.values(), ids=CHANGED_WEAKER)
def test_review_weaker_than_before_is_refused_when_the_requester_may_not_approve(
    reviews: Reviews, name: str, review: dict[str, Any] | None, message: str
) -> None:
    assert message in reviews.change("eve", name, review)


@pytest.mark.parametrize(("name", "review"), [case[:2] for case in one_of_each(CHANGED_WEAKER)])
def test_review_weaker_than_before_is_taken_from_an_approver_and_in_development(
    reviews: Reviews, name: str, review: dict[str, Any] | None
) -> None:
    assert not reviews.change("abe", name, review)
    assert not reviews.change("eve", name, review, DEVELOPMENT)


STRICTER = {
    "every plan": ("plain", {"mode": "Required"}),
    "warnings that count": ("plain", {"failOn": "warning"}),
    "a warning raised": ("plain", {"rules": {"fk-index": "error"}}),
    "a severity said that is the rule's own": ("plain", {"rules": {"fk-index": "warning", "destructive": "error"}}),
    "an error left out that is one anyway": ("strict", {"rules": {"type-change": None}}),
    "a warning left out that is one anyway": ("strict", {"rules": {"jsonb": None}}),
    "a warning raised higher": ("strict", {"rules": {"jsonb": "error"}}),
    "the operator's own image again": ("strict", {"shadow": {"image": ""}}),
    "an approval taken back": ("strict", {"approvedDigest": ""}),
    "another user in the image": ("strict", {"shadow": {"runAsUser": 70}}),
}


@pytest.mark.parametrize(("name", "review"), STRICTER.values(), ids=STRICTER)
def test_review_that_is_not_weaker_is_taken_from_an_editor(reviews: Reviews, name: str, review: dict[str, Any]) -> None:
    assert not reviews.change("eve", name, review)


def test_strict_review_is_taken_at_creation_from_an_editor(reviews: Reviews) -> None:
    assert not reviews.create("eve", {"mode": "Required", "failOn": "warning", "rules": {"fk-index": "error"}})


def test_rest_of_the_spec_is_changed_by_an_editor_while_git_approves(cluster: Cluster, reviews: Reviews) -> None:
    words = ("-n", PRODUCTION, "patch", "dbs", "strict", "--type=merge", DRY)

    assert not said(cluster, *words, "-p", '{"spec": {"revision": "9c1f22aa01bd", "allowDowngrade": true}}', user="eve")


def floor(namespace: str, found: str) -> str:
    return (
        f"spec.review.mode is {found}, and the label alembic-operator.dev/minimum-review of the namespace {namespace} "
        f"requires {FLOORS[namespace]}: set it to that, or have the label changed"
    )


@pytest.mark.parametrize(
    ("namespace", "found"),
    [
        ("admission-required", "OnFindings"),
        ("admission-required", "Auto"),
        ("admission-findings", "Auto"),
        ("admission-mistyped", "OnFindings"),
    ],
)
def test_review_below_the_floor_is_refused_even_from_an_approver(reviews: Reviews, namespace: str, found: str) -> None:
    assert floor(namespace, found) in reviews.create("abe", {"mode": found}, namespace)


@pytest.mark.parametrize(
    ("namespace", "found"),
    [("admission-required", "Required"), ("admission-findings", "OnFindings"), ("admission-mistyped", "Required")],
)
def test_review_at_the_floor_is_taken(reviews: Reviews, namespace: str, found: str) -> None:
    assert not reviews.create("eve", {"mode": found}, namespace)


def test_shadow_image_by_tag_is_refused_outside_development(reviews: Reviews) -> None:
    review = {"shadow": {"image": "registry.example/postgis:17"}}

    assert NOT_PINNED in reviews.create("abe", review)
    assert NOT_PINNED in reviews.change("abe", "plain", review)
    assert not reviews.create("eve", review, DEVELOPMENT)


def test_viewer_and_approver_change_no_schema(cluster: Cluster, reviews: Reviews) -> None:
    for at, role in enumerate(("alembic-viewer", "alembic-approver")):
        rights = rights_of(f"only-{at}", PRODUCTION, of_the_chart(role))
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(rights))

        assert "cannot patch resource" in reviews.change(f"only-{at}", "plain", {"mode": "Required"})
