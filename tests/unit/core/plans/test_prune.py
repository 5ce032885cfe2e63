"""Which plans may go, and which ConfigMap a Job still needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alembic_operator.core.plans.prune import Planned, RetentionPolicy, beyond_retention, uses

KEEPING = RetentionPolicy(1, "", frozenset({"c3"}))
OLD = Planned("shop", "old", "1", "uid", "2026-11-23T12:00:00Z", ("c3",), False, ("old-0",))
NEW = replace(OLD, name="new", uid="2", created="2026-11-23T13:00:00Z")


def left(*plans: Planned, keeping: RetentionPolicy = KEEPING) -> list[str]:
    """The names of those that may go."""
    return [plan.name for plan in beyond_retention(plans, keeping)]


def test_oldest_go_first_when_there_are_more_than_are_kept() -> None:
    oldest = replace(OLD, name="oldest", created="2026-11-23T11:00:00Z")
    assert left(NEW, oldest, OLD) == ["oldest", "old"]
    assert left(NEW, oldest, OLD, keeping=replace(KEEPING, limit=3)) == []


def test_plan_stays_when_the_status_names_it() -> None:
    assert left(NEW, OLD, keeping=replace(KEEPING, plan="old")) == []


@pytest.mark.parametrize(("to", "names"), [(("c3",), []), (("b2",), ["old"]), (("b2", "c3"), ["old"])])
def test_rejection_stays_when_it_is_of_what_is_wanted(to: tuple[str, ...], names: list[str]) -> None:
    assert left(NEW, replace(OLD, rejected=True, to=to)) == names


def job(volumes: list[dict[str, Any]], *conditions: dict[str, str]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"volumes": volumes}}}, "status": {"conditions": list(conditions)}}


PLAIN = [{"name": "a", "configMap": {"name": "part"}}]
PROJECTED = [{"name": "a", "projected": {"sources": [{"secret": {"name": "x"}}, {"configMap": {"name": "part"}}]}}]


@pytest.mark.parametrize("volumes", [PLAIN, PROJECTED], ids=["a volume", "a projected one"])
def test_config_map_is_used_until_its_job_has_finished(volumes: list[dict[str, Any]]) -> None:
    assert uses(job(volumes), "part")
    assert uses(job(volumes, {"type": "Failed", "status": "False"}), "part")
    assert not uses(job(volumes), "another")
    assert not uses(job(volumes, {"type": "Complete", "status": "True"}), "part")
