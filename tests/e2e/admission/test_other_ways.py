"""The policies hold whichever way a request takes: every kind of patch, server-side apply, subresources, odd names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until

from .conftest import PRODUCTION
from .plans import DRY, USERS, Plans, decision
from .users import of_the_chart, rights_of, said

OWNER = "other-ways"
ODD = 'o\'dd "u\\ser" <x>:ä {{.Name}}'
SPLAN, DBS = ("-n", PRODUCTION, "patch", "splan"), ("-n", PRODUCTION, "patch", "dbs")
STATUS_WRITER = [("alembic-operator.dev", kind, ["get", "patch"]) for kind in ("schemaplans/status", "schemaplans")]


@pytest.fixture(scope="module")
def plans(cluster: Cluster, policies: None, namespaces: tuple[str, str]) -> Iterator[Plans]:
    """A plan of a DatabaseSchema in production that nobody has decided on, and policies that are in force."""
    people = {**USERS, ODD: of_the_chart("alembic-approver"), "sam": STATUS_WRITER}
    objects = [
        each for at, user in enumerate(people) for each in rights_of(user, PRODUCTION, people[user], f"other-ways-{at}")
    ]
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    made = Plans(cluster, OWNER)
    assert not made.create("operator", made.manifest("undecided"))
    # The API server reads new policies some moments after they are stored.
    wait_until(
        lambda: (
            bool(made.patch("mallory", "undecided", decision("Reject", "mallory"), DRY))
            and bool(said(cluster, *DBS, OWNER, "--type=merge", DRY, "-p", weaker(), user="ed"))
        ),
        "the policies to be in force",
    )
    yield made


def weaker() -> str:
    return json.dumps({"spec": {"review": {"mode": "Auto"}}})


def applied(kind: str, name: str, spec: dict[str, Any]) -> str:
    head = {"apiVersion": "alembic-operator.dev/v1alpha1", "kind": kind}
    return json.dumps({**head, "metadata": {"name": name, "namespace": PRODUCTION}, "spec": spec})


APPLY = ("apply", "--server-side", "--force-conflicts", DRY, "-f", "-")
NEEDS_APPROVE = "requires the verb approve on schemaplans.alembic-operator.dev"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/review/mode", "Auto"),
        ("/spec/review/approvedDigest", "sha256:" + "1" * 64),
        ("/spec/review/evidence", "Static"),
        ("/spec/review/rules", {"destructive": "off"}),
        ("/spec/review", {"mode": "Auto"}),
    ],
)
def test_review_is_not_weakened_by_a_json_patch(cluster: Cluster, plans: Plans, path: str, value: object) -> None:
    patch = json.dumps([{"op": "add", "path": path, "value": value}])
    assert NEEDS_APPROVE in said(cluster, *DBS, OWNER, "--type=json", DRY, "-p", patch, user="ed")


def test_review_is_not_weakened_by_a_server_side_apply(cluster: Cluster, plans: Plans) -> None:
    spec = json.loads(cluster.kubectl("-n", PRODUCTION, "get", "dbs", OWNER, "-o", "jsonpath={.spec}"))
    assert not said(cluster, *APPLY, user="ed", stdin=applied("DatabaseSchema", OWNER, spec))
    for change in ({"mode": "Auto"}, {"approvedDigest": "sha256:" + "1" * 64}):
        manifest = applied("DatabaseSchema", OWNER, spec | {"review": spec["review"] | change})
        assert NEEDS_APPROVE in said(cluster, *APPLY, user="ed", stdin=manifest)


def test_database_is_not_taken_over_by_a_json_patch(cluster: Cluster, plans: Plans) -> None:
    patch = json.dumps(
        [{"op": "add", "path": "/metadata/annotations", "value": {"alembic-operator.dev/take-over": "x"}}]
    )
    refusal = said(cluster, *DBS, OWNER, "--type=json", DRY, "-p", patch, user="ed")
    assert NEEDS_APPROVE in refusal


@pytest.mark.parametrize(("user", "by"), [("mallory", "mallory"), ("ann", "dana"), ("ann", " ann"), ("ann", "ANN")])
def test_plan_is_not_decided_in_another_way_than_by_an_approver_in_their_name(
    cluster: Cluster, plans: Plans, user: str, by: str
) -> None:
    made = decision("Approve", by)["spec"]
    patch = json.dumps([{"op": "add", "path": "/spec/decision", "value": made["decision"]}])
    ways = [
        said(cluster, *SPLAN, "undecided", "--type=json", DRY, "-p", patch, user=user),
        said(cluster, *APPLY, user=user, stdin=applied("SchemaPlan", "undecided", made)),
    ]
    assert all("decision.by must be your own user name" in way or "does not have it in" in way for way in ways)


def test_plan_is_decided_by_a_server_side_apply_of_an_approver(cluster: Cluster, plans: Plans) -> None:
    assert not said(
        cluster, *APPLY, user="ann", stdin=applied("SchemaPlan", "undecided", decision("Approve", "ann")["spec"])
    )


def test_plan_is_decided_by_an_approver_whatever_characters_are_in_their_name(plans: Plans) -> None:
    refusal = plans.patch(ODD, "undecided", decision("Approve", "ann"), DRY)
    assert f"must be your own user name, {ODD}, not ann" in refusal
    assert not plans.patch(ODD, "undecided", decision("Approve", ODD), DRY)


def test_administrator_decides_in_no_other_name_either(plans: Plans) -> None:
    everything = ("--as-group", "system:masters", DRY)
    refusal = plans.patch("root", "undecided", decision("Approve", "ann"), *everything)
    assert "must be your own user name, root, not ann" in refusal
    assert not plans.patch("root", "undecided", decision("Approve", "root"), *everything)


def test_nothing_but_the_status_changes_when_only_the_status_is_written(cluster: Cluster, plans: Plans) -> None:
    before = json.loads(cluster.kubectl("-n", PRODUCTION, "get", "splan", "undecided", "-o", "json"))
    patch = {
        "metadata": {"labels": {"a": "b"}, "ownerReferences": [], "annotations": {"c": "d"}},
        **decision("Approve", "sam"),
        "status": {"phase": "Approved"},
    }
    assert not plans.patch("sam", "undecided", patch, "--subresource=status")
    after = json.loads(cluster.kubectl("-n", PRODUCTION, "get", "splan", "undecided", "-o", "json"))
    assert after["status"] == {"phase": "Approved"}
    for part in ("labels", "ownerReferences", "annotations"):
        assert after["metadata"].get(part) == before["metadata"].get(part)
    assert after["spec"] == before["spec"]


def test_plan_is_not_made_by_a_name_of_the_servers_or_by_an_apply(cluster: Cluster, plans: Plans) -> None:
    made = plans.manifest("forged")
    generated = json.loads(json.dumps(made))
    generated["metadata"] = {**made["metadata"], "generateName": "forged-"}
    del generated["metadata"]["name"]
    assert "only the operator creates SchemaPlans" in plans.create("mallory", generated, DRY)
    assert "only the operator creates SchemaPlans" in said(cluster, *APPLY, user="mallory", stdin=json.dumps(made))


def test_decision_with_another_change_is_refused_as_a_whole(plans: Plans) -> None:
    patch = {**decision("Approve", "ann"), "metadata": {"labels": {"alembic-operator.dev/schema-uid": "another"}}}
    assert "only the operator may change them" in plans.patch("ann", "undecided", patch)
    assert not plans.patch("ann", "undecided", decision("Approve", "ann"), DRY)  # nothing of it was kept
