"""What is nobody's: without a controller, and of a resource that is gone."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.api import names
from alembic_operator.core.orphans import is_orphan, is_uncontrolled

ALIVE, GONE = "uid-alive", "uid-gone"
JOB = {names.LABEL_COMPONENT: "migration", names.LABEL_UID: GONE}
CONTROLLER = {"kind": "DatabaseSchema", "name": "shop", "uid": GONE, "controller": True}
OWNER = {**CONTROLLER, "controller": False}


def raw(labels: dict[str, str] | None = JOB, **meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "shop-1", "labels": labels, **meta}}


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(raw(), id="a Job or a pod"),
        pytest.param(raw({names.LABEL_COMPONENT: "plan", names.LABEL_UID: GONE}), id="a plan or its SQL"),
        pytest.param(raw({names.LABEL_COMPONENT: "migration"}), id="that has lost its label too"),
        pytest.param(raw(ownerReferences=[OWNER]), id="with an owner who is no controller"),
        pytest.param(raw(ownerReferences=None), id="with an emptied list of owners"),
    ],
)
def test_object_is_an_orphan_when_its_resource_is_gone_and_nobody_controls_it(found: dict[str, Any]) -> None:
    assert is_orphan(found, {ALIVE})


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(raw({**JOB, names.LABEL_UID: ALIVE}), id="its resource is there"),
        pytest.param(raw(ownerReferences=[CONTROLLER]), id="the garbage collector takes it"),
        pytest.param(raw(deletionTimestamp="2026-11-23T12:00:00Z"), id="it is going"),
        pytest.param(raw({names.LABEL_COMPONENT: "runner", names.LABEL_UID: GONE}), id="it was made for no resource"),
        pytest.param(raw({names.LABEL_UID: GONE}), id="no component"),
        pytest.param(raw(None), id="no labels"),
    ],
)
def test_object_is_left_when(found: dict[str, Any]) -> None:
    assert not is_orphan(found, {ALIVE})


def test_object_of_a_living_resource_is_worth_a_look_when_nobody_controls_it() -> None:
    assert is_uncontrolled(raw({**JOB, names.LABEL_UID: ALIVE}))
