"""A SchemaPlan that somebody else made under the name of ours: it is judged by nothing that it leaves out."""

from __future__ import annotations

import pytest

from alembic_operator.cluster.port import Kind
from alembic_operator.review.result import Lint

from .story import NAMESPACE
from .test_plan_stories import DANGER, planned, reviewed


@pytest.mark.parametrize("told", [0, 1], ids=["and none is counted", "and one is counted"])
@pytest.mark.parametrize("when", ["while it is planned", "while it waits"])
async def test_nothing_runs_when_somebody_made_a_plan_of_its_name_without_the_findings(told: int, when: str) -> None:
    story = reviewed()
    story.checked = Lint((DANGER,), ())
    name = await planned(story)
    forged = story.cluster.plan(NAMESPACE, name)
    story.cluster.deaf = when == "while it waits"
    story.cluster.remove_plan(NAMESPACE, name)
    await story.settle()
    for step in forged["spec"]["plan"]["steps"]:
        step.pop("findings", None)
    forged["spec"]["plan"]["errors"] = told
    labels = forged["metadata"]["labels"]
    await story.cluster.create(
        Kind.PLAN, NAMESPACE, {"metadata": {"name": name, "labels": labels}, "spec": forged["spec"]}
    )
    story.cluster.deaf = False
    await story.annotate(retry_at="1")
    while story.unfinished():
        await story.runs()
    assert (story.ready(), story.database.runs) == (("False", "AwaitingApproval"), [])
