"""The first look at a server, and how a schema that others migrated is spoken of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import DatabaseFacts, Failure, Outcome
from alembic_operator.contract.verification import Verification, VerifiedReason

from .world import FACTS, INSTALLATION, World, migrating, request_of

SEVERAL = replace(INSTALLATION, shadow_images={16: "pg:16", 18: "pg:18"})
REVIEWED = {"mode": "OnFindings", "evidence": "Shadow"}
COMPARED = Verification(VerifiedReason.COMPARED, "It has all of it.", "sha256:1")


def fresh(**review: object) -> World:
    """A resource whose server nobody has looked at yet, and two images to choose from."""
    world = World(installation=SEVERAL)
    world.spec["review"] = {**REVIEWED, **review}
    world.look()
    return world


@pytest.mark.parametrize("outcome", [Outcome.BEHIND, Outcome.UP_TO_DATE, Outcome.AHEAD])
def test_server_is_looked_at_before_the_first_plan_when_its_version_decides(outcome: Outcome) -> None:
    world = fresh()
    assert (request_of(world.run()).kind, world.reason()) == (RunKind.CHECK, "Checking")
    decision = world.reports(outcome, pending=2, current=["a1"])
    asked = request_of(world.run())
    assert (asked.kind, asked.shadow_image, world.reason()) == (RunKind.PLAN, "pg:16", "Planning")
    assert decision.events == ()
    assert world.parsed.last_failure is None


@pytest.mark.parametrize("review", [{"shadow": {"image": "postgis:16"}}, {"evidence": "Static"}])
def test_plan_is_made_at_once_when_no_version_is_needed_for_it(review: dict[str, object]) -> None:
    assert request_of(fresh(**review).run()).kind is RunKind.PLAN


def test_plan_is_made_at_once_when_there_is_one_image_or_the_server_is_known() -> None:
    world = World(installation=replace(INSTALLATION, shadow_images={18: "pg:18"}))
    world.spec["review"] = REVIEWED
    world.look()
    assert request_of(world.run()).kind is RunKind.PLAN

    world = fresh()
    world.reports(Outcome.BEHIND, pending=1)
    world.reports(Outcome.UP_TO_DATE)
    world.edit(revision="c3")
    world.look()
    assert request_of(world.run()).kind is RunKind.PLAN


def test_server_is_looked_at_again_when_it_could_not_be_reached() -> None:
    world = fresh()
    for _ in range(2):
        world.fails(Reason.DATABASE_UNREACHABLE)
        assert world.reason() == "DatabaseUnreachable"
        world.wait()
        assert request_of(world.run()).kind is RunKind.CHECK
    world.reports(Outcome.BEHIND, pending=1)
    assert request_of(world.run()).kind is RunKind.PLAN


def test_operator_goes_on_when_it_was_killed_after_the_look_was_started() -> None:
    world = World(installation=SEVERAL)
    world.spec["review"] = REVIEWED
    world.look(crash=True)
    world.reports(Outcome.BEHIND, pending=1)
    assert request_of(world.run()).kind is RunKind.PLAN


def test_condition_tells_how_the_schema_was_verified_and_the_next_run_gets_to_know() -> None:
    world = migrating(review=REVIEWED)
    world.reports(Outcome.BEHIND, pending=0, verification=COMPARED)
    assert request_of(world.run()).verification == COMPARED
    world.reports(Outcome.UP_TO_DATE, verification=COMPARED)
    verified = world.parsed.condition("Verified")
    assert verified is not None
    assert (verified.status, verified.reason, verified.message) == ("True", "Compared", "It has all of it.")
    world.edit(revision="c3")
    world.look()
    assert world.parsed.condition("Verified") is not None


def test_ready_says_so_when_the_schema_was_not_compared() -> None:
    world = migrating()
    unseen = Verification(VerifiedReason.NOT_COMPARED, "There is no shadow.", "sha256:1")
    world.reports(Outcome.UP_TO_DATE, verification=unseen)
    assert world.ready()[:2] == ("True", "UpToDate")
    assert "Its schema was not compared with the history" in world.ready()[2]
    verified = world.parsed.condition("Verified")
    assert verified is not None
    assert (verified.status, verified.reason) == ("Unknown", "NotCompared")


def test_resource_stalls_and_is_not_verified_when_the_schema_is_another() -> None:
    world = migrating(review=REVIEWED)
    result = world.result(Outcome.UP_TO_DATE)
    other = Verification(VerifiedReason.DIFFERENT, "A column is missing.", "sha256:1")
    failing = replace(
        result,
        outcome=Outcome.FAILED,
        failure=Failure(Reason.SCHEMA_MISMATCH, "A column is missing."),
        verification=other,
    )
    world.ends(failing.to_json(), exit_code=1)
    assert world.ready()[:2] == ("False", "SchemaMismatch")
    assert world.others()["Stalled"] == "SchemaMismatch"
    assert world.others()["Verified"] == "Different"


@pytest.mark.parametrize(
    "read",
    [{"current": []}, {"database": DatabaseFacts(FACTS.engine, FACTS.version, "sha256:another")}],
    ids=["base", "another-database"],
)
def test_nothing_is_said_of_a_schema_when_a_run_read_another(read: dict[str, object]) -> None:
    world = migrating()
    world.reports(Outcome.UP_TO_DATE, verification=COMPARED)
    world.edit(revision="c3")
    world.look()
    world.reports(Outcome.UP_TO_DATE, **read)
    assert world.parsed.condition("Verified") is None
    assert world.parsed.schema_fingerprint == ""
