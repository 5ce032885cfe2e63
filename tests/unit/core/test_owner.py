"""A database that another resource manages, and how it is taken over."""

from __future__ import annotations

import pytest

from alembic_operator.api.status import OwnerRef
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

from .world import OTHER_OWNER, migrating, request_of


def test_owner_is_named_and_asked_about_at_once_when_the_database_is_anothers() -> None:
    world = migrating()
    decision = world.fails(Reason.TARGET_OWNED, "other/shop manages this database.", owner=OTHER_OWNER)
    assert world.parsed.owner == OwnerRef("cluster-1", "other", "shop", OTHER_OWNER.uid)
    assert decision.requeue_after == 0
    assert (world.look().requeue_after or 0) > 5


@pytest.mark.parametrize("gone", [True, False], ids=["the owner is gone", "a person says so"])
def test_database_is_taken_over_when_the_owner_may_be_replaced(gone: bool) -> None:
    world = migrating()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    world.owner_gone = gone
    if not gone:
        world.annotate(take_over=OTHER_OWNER.uid)
    world.look()
    assert request_of(world.run()).replace_owner == OTHER_OWNER.uid
    world.reports(Outcome.APPLIED, applied_count=1)
    assert world.reason() == "UpToDate"


def test_database_is_not_taken_over_when_another_owner_is_named() -> None:
    world = migrating()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    world.annotate(take_over="6f1c1f9e-0000-4000-8000-0000000000aa")
    assert world.look().actions == ()
    world.wait()
    assert request_of(world.run()).replace_owner == ""


def test_take_over_is_tried_again_after_a_pause_when_it_failed() -> None:
    world = migrating()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    world.owner_gone = True
    world.look()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    decision = world.look()
    assert (decision.actions, decision.requeue_after) == ((), 10)
    world.passes(10)
    assert len(world.look().actions) == 1


def test_owner_that_is_gone_does_not_shorten_the_pause_when_the_run_failed_for_another_reason() -> None:
    world = migrating()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    world.owner_gone = True
    world.look()
    world.fails(Reason.CONNECTION_LOST, owner=OTHER_OWNER)
    assert world.look().actions == ()
    world.wait()
    assert request_of(world.run()).replace_owner == OTHER_OWNER.uid


def test_owner_is_forgotten_when_the_database_was_read_and_is_this_resources_own() -> None:
    world = migrating()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    world.owner_gone = True
    world.look()
    world.reports(Outcome.APPLIED, applied_count=1)
    assert world.parsed.owner is None


def test_owner_is_kept_when_a_run_ends_without_having_read_the_database() -> None:
    world = migrating()
    world.fails(Reason.TARGET_OWNED, owner=OTHER_OWNER)
    world.owner_gone = True
    world.look()
    world.fails(Reason.DATABASE_UNREACHABLE)
    assert world.parsed.owner is not None
