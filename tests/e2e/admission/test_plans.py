"""SchemaPlans on the real API server: who makes them, who decides, what stays as it is, and what a person sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import wait_until
from tests.unit.api.manifests import ABSENT
from tests.unit.api.plans import HUGE, PLAN_SPEC

from alembic_operator.api.plan_bounds import bounded
from alembic_operator.api.plan_spec import PlanStep, plan_spec_to_raw

from .conftest import PRODUCTION
from .plans import CONTROLLERS, DRY, GARBAGE_COLLECTOR, USERS, Plans, decision
from .users import rights_of, said

MADE = (
    "only the operator creates SchemaPlans, with the verb manage on schemaplans.alembic-operator.dev: {user} does not "
    f"have it in {PRODUCTION}; to get another plan, change the DatabaseSchema"
)
UNDECIDED = "a SchemaPlan is created without spec.decision: a person who has read it decides afterwards"
WHOSE = (
    "labels and ownerReferences of a SchemaPlan identify its owner, and only the operator may change them (the verb "
    "manage on schemaplans.alembic-operator.dev); annotations may be changed"
)
OWN_NAME = "spec.decision.by must be your own user name, {user}, not {name}"
MAY_NOT_DECIDE = (
    "deciding on a SchemaPlan requires the verb approve on schemaplans.alembic-operator.dev (the ClusterRole "
    f"alembic-approver): {{user}} does not have it in {PRODUCTION}"
)
FINAL = (
    "a decision is final: it can be neither changed nor removed. To withdraw it before the plan runs, delete the "
    "SchemaPlan: the operator makes it again, undecided"
)
UNCHANGEABLE = "plan cannot be changed: where something else would run, the operator makes another SchemaPlan"
WITHDRAWS = (
    "deleting a rejected SchemaPlan withdraws the rejection, which requires the verb approve on "
    "schemaplans.alembic-operator.dev (the ClusterRole alembic-approver)"
)


@pytest.fixture(scope="module")
def plans(cluster: Cluster, policies: None, namespaces: tuple[str, str]) -> Iterator[Plans]:
    """Users, three plans of a DatabaseSchema in production, and policies that are in force."""
    everybody = {**USERS, **CONTROLLERS}
    objects = [
        each
        for at, user in enumerate(everybody)
        for each in rights_of(user, PRODUCTION, everybody[user], f"plans-{at}")
    ]
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    made = Plans(cluster, "planned")
    for name in ("pending", "approved", "rejected"):
        assert not made.create("operator", made.manifest(name))
    # The API server reads new policies some moments after they are stored.
    wait_until(
        lambda: (
            bool(made.patch("mallory", "pending", decision("Reject", "mallory"), DRY))
            and bool(made.create("mallory", made.manifest("forged"), DRY))
        ),
        "the policies to be in force",
    )
    assert not made.patch("ann", "approved", decision("Approve", "ann", at="2026-11-27T01:00:00Z", reason="read it"))
    assert not made.patch("ann", "rejected", decision("Reject", "ann"))
    wait_until(lambda: bool(made.delete("mallory", DRY, "rejected")), "the policy on deletions to be in force")
    yield made


def test_plan_is_refused_when_another_than_the_operator_makes_it(plans: Plans) -> None:
    assert MADE.format(user="mallory") in plans.create("mallory", plans.manifest("forged"), DRY)
    assert MADE.format(user="forger") in plans.create("forger", plans.manifest("forged"), DRY)
    assert not plans.create("operator", plans.manifest("made"), DRY)


@pytest.mark.parametrize("user", ["vic", "ed", "ann"])
def test_plan_is_refused_by_rbac_when_the_charts_roles_are_all_there_is(plans: Plans, user: str) -> None:
    assert "cannot create resource" in plans.create(user, plans.manifest("forged"), DRY)


def test_plan_is_refused_when_it_is_made_with_a_decision(plans: Plans) -> None:
    changes = {"spec.decision": {"type": "Approve", "by": "operator"}}

    assert UNDECIDED in plans.create("operator", plans.manifest("made", changes), DRY)


@pytest.mark.parametrize("kind", ["Approve", "Reject"])
def test_decision_is_refused_when_it_is_in_anothers_name(plans: Plans, kind: str) -> None:
    wrong = plans.patch("ann", "pending", decision(kind, "ed"), DRY)

    assert OWN_NAME.format(user="ann", name="ed") in wrong
    assert OWN_NAME.format(user="forger", name="ann") in plans.patch("forger", "pending", decision(kind, "ann"), DRY)
    assert not plans.patch("ann", "pending", decision(kind, "ann"), DRY)


@pytest.mark.parametrize("user", ["mallory", "machine"])
def test_decision_is_refused_when_the_requester_may_not_approve(plans: Plans, user: str) -> None:
    assert MAY_NOT_DECIDE.format(user=user) in plans.patch(user, "pending", decision("Approve", user), DRY)


@pytest.mark.parametrize("user", ["operator", "vic", "ed"])
def test_decision_is_refused_by_rbac_when_the_charts_roles_are_all_there_is(plans: Plans, user: str) -> None:
    assert "cannot patch resource" in plans.patch(user, "pending", decision("Approve", user), DRY)


@pytest.mark.parametrize(
    "patch",
    [
        decision("Reject", "ann"),
        decision("Approve", "ann", reason="another"),
        {"spec": {"decision": {"at": None}}},
        {"spec": {"decision": None}},
    ],
    ids=["turned", "with another reason", "at another time", "removed"],
)
def test_decision_stays_when_it_was_made(plans: Plans, patch: dict[str, Any]) -> None:
    assert FINAL in plans.patch("ann", "approved", patch, DRY)


def test_decision_stays_when_another_approver_decides_after_it(plans: Plans) -> None:
    assert FINAL in plans.patch("forger", "rejected", decision("Approve", "forger"), DRY)


@pytest.mark.parametrize(
    ("user", "part"),
    [
        ("ann", {"digest": "sha256:" + "f" * 64}),
        ("machine", {"image": "registry.example/evil@sha256:" + "f" * 64}),
        ("forger", {"errors": 7}),
        ("ann", {"steps": []}),
        ("machine", {"sql": []}),
        ("forger", {"guard": None}),
        ("ann", {"findings": [{"rule": "destructive", "severity": "error"}]}),
    ],
    ids=["digest", "image", "errors", "steps", "sql", "guard", "findings"],
)
def test_plan_stays_as_it_was_made(plans: Plans, user: str, part: dict[str, Any]) -> None:
    assert UNCHANGEABLE in plans.patch(user, "pending", {"spec": {"plan": part}}, DRY)


def test_plan_stays_as_it_was_made_when_it_is_decided(plans: Plans) -> None:
    patch = decision("Approve", "ann")
    patch["spec"]["plan"] = {"errors": 7}

    assert UNCHANGEABLE in plans.patch("ann", "pending", patch, DRY)


@pytest.mark.parametrize("part", [{"name": "shop2"}, {"uid": "0f4c"}], ids=["name", "uid"])
def test_schema_of_a_plan_stays(plans: Plans, part: dict[str, Any]) -> None:
    assert "schemaRef cannot be changed" in plans.patch("ann", "pending", {"spec": {"schemaRef": part}}, DRY)


@pytest.mark.parametrize(
    "patch",
    [
        {"labels": {"alembic-operator.dev/schema": "other"}},
        {"labels": {"team": "shop"}},
        {"labels": {"alembic-operator.dev/schema": None}},
        {"ownerReferences": None},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0f4c"}]},
    ],
    ids=["label changed", "label added", "label removed", "owner removed", "owner changed"],
)
def test_whose_a_plan_is_stays(plans: Plans, patch: dict[str, Any]) -> None:
    assert WHOSE in plans.patch("ann", "pending", {"metadata": patch}, DRY)
    assert not plans.patch("machine", "pending", {"metadata": patch}, DRY)


def test_annotation_is_taken_from_who_may_patch(plans: Plans) -> None:
    patch = {"metadata": {"annotations": {"team.example/ticket": "SHOP-7"}}}

    assert [plans.patch("ann", name, patch, DRY) for name in ("pending", "approved", "rejected")] == ["", "", ""]


def test_rejected_plan_stays_when_who_deletes_it_may_not_approve(plans: Plans) -> None:
    assert WITHDRAWS in plans.delete("mallory", DRY, "rejected")
    assert WITHDRAWS in plans.delete("mallory", DRY, "--all")
    assert not plans.delete("mallory", DRY, "pending")


@pytest.mark.parametrize(
    "user", ["ann", "operator", GARBAGE_COLLECTOR, "system:serviceaccount:kube-system:namespace-controller"]
)
def test_rejected_plan_may_go_when_an_approver_the_operator_or_kubernetes_deletes_it(plans: Plans, user: str) -> None:
    assert not plans.delete(user, DRY, "rejected")


def test_owner_may_be_taken_off_by_the_garbage_collector(plans: Plans) -> None:
    assert not plans.patch(GARBAGE_COLLECTOR, "rejected", {"metadata": {"ownerReferences": None}}, DRY)


@pytest.mark.parametrize("user", ["vic", "ed", "ann"])
def test_status_is_refused_when_another_than_the_operator_writes_it(plans: Plans, user: str) -> None:
    patch = {"status": {"phase": "Approved"}}

    assert "cannot patch resource" in plans.patch(user, "pending", patch, "--subresource=status", DRY)
    assert not plans.patch("operator", "pending", patch, "--subresource=status", DRY)


def test_phase_is_refused_when_no_plan_has_it(plans: Plans) -> None:
    patch = {"status": {"phase": "Blessed"}}

    assert 'Unsupported value: "Blessed"' in plans.patch("operator", "pending", patch, "--subresource=status", DRY)


def test_schema_is_relabelled_by_a_tool_while_it_has_plans(cluster: Cluster, plans: Plans) -> None:
    words = ("-n", PRODUCTION, "label", "dbs", "planned", "argocd.argoproj.io/instance=shop", DRY)

    assert not said(cluster, *words, user="ed")


@pytest.mark.parametrize("steps", HUGE.values(), ids=HUGE)
def test_largest_plan_is_made_and_decided(plans: Plans, steps: tuple[PlanStep, ...]) -> None:
    fitting = plan_spec_to_raw(bounded(replace(PLAN_SPEC, steps=steps)))

    assert not plans.create("operator", plans.manifest("largest", {"spec.plan": fitting}))
    # Comparing the plan with what it was has a cost limit of its own.
    assert not plans.patch("ann", "largest", decision("Approve", "ann"))
    assert not plans.delete("ann", "largest")


def test_columns_show_the_way_the_findings_and_who_decided(cluster: Cluster, plans: Plans) -> None:
    lines = cluster.kubectl("-n", PRODUCTION, "get", "splan", "approved").splitlines()

    assert lines[0].split() == [
        *("NAME", "SCHEMA", "FROM", "TO", "STEPS", "ERRORS", "WARNINGS", "PHASE", "BY", "AGE"),
    ]
    assert lines[1].split()[:7] == ["approved", "planned", "3f2a9c1d7e55", "8b7d0e44aa10", "2", "0", "1"]
    assert "ann" in lines[1].split()


def test_rejected_plan_goes_with_its_schema(cluster: Cluster, policies: None, plans: Plans) -> None:
    of_its_own = Plans(cluster, "going")
    assert not of_its_own.create("operator", of_its_own.manifest("going"))
    assert not of_its_own.patch("ann", "going", decision("Reject", "ann"))

    cluster.kubectl("-n", PRODUCTION, "delete", "dbs", "going")

    wait_until(lambda: "schemaplan.alembic-operator.dev/going" not in of_its_own.names(), "the plan to be collected")


def test_plan_without_an_owner_is_refused_when_another_than_the_operator_makes_it(
    plans: Plans,
) -> None:
    bare = plans.manifest("bare", {"metadata.labels": ABSENT, "metadata.ownerReferences": ABSENT})

    assert MADE.format(user="mallory") in plans.create("mallory", bare, DRY)
