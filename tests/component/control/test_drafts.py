"""From a log to a checked draft, by the real rules in their process; what is broken or hostile is never a plan."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from tests.unit.core.drafting import statement

from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.plan import PlanDocument, StepKind
from alembic_operator.contract.plan_records import pack
from alembic_operator.contract.reasons import Reason
from alembic_operator.control.reconcile.lint import Linter
from alembic_operator.control.reconcile.lint_slot import COME_BACK, LintSlot
from alembic_operator.control.reconcile.plan_log import PlanLinter, draft_of
from alembic_operator.core.decide import unaccounted
from alembic_operator.core.model.draft import Draft, NoDraft
from alembic_operator.core.model.observed import Job, Observed, parse_job, parse_pod, parse_schema
from alembic_operator.core.plans.build import build_plan
from alembic_operator.review.child_process import Limits

from .database import REVISIONS, draft_document
from .story import NAME, NAMESPACE, Story


async def document(story: Story, *sql: str) -> PlanDocument:
    """A plan as it was asked for; it sends `sql`, or else adds tables."""
    await story.apply(review={"mode": "OnFindings", "evidence": "Shadow"})
    made = draft_document(story.request(story.job()), [], REVISIONS[:3], journal=0)
    steps = [replace(made.steps[0], statements=[statement(text) for text in sql])] if sql else made.steps
    of_steps = statements_digest(steps)
    digest = plan_digest(made.inputs_digest, of_steps)
    return replace(made, steps=steps, statements_digest=of_steps, digest=digest)


async def ended(story: Story, made: PlanDocument, logged: PlanDocument | None = None) -> Job:
    """The Job of a plan run that has ended, with what it made in its result, and in its log."""
    name = story.job()
    story.cluster.start_pod(NAMESPACE, name)
    result = story.database.answer(story.request(name))
    packed = pack(made)
    assert result.plan is not None
    receipt = replace(result.plan, digest=made.digest, sha256=packed.sha256, parts=len(packed.parts))
    story.database.documents[name] = logged or made
    story.log_plan(name)
    story.cluster.finish_pod(NAMESPACE, name, replace(result, plan=receipt).to_json())
    raw = next(job for job in story.cluster.jobs(NAMESPACE) if job["metadata"]["name"] == name)
    job = parse_job(raw)
    assert job is not None
    job = replace(job, pods=tuple(parse_pod(pod) for pod in story.cluster.pods(NAMESPACE)))
    assert unaccounted(Observed(parse_schema(story.cluster.schema(NAMESPACE, NAME)), (job,))) == [job]
    return job


async def drafted(story: Story, job: Job, lint: Linter | None = None) -> Draft | NoDraft | None:
    async with LintSlot().acquire() as take:
        return await draft_of(story.cluster, NAMESPACE, job, story.moment.date(), PlanLinter(lint or Linter(), take))


async def test_findings_are_those_of_the_rules_when_a_plan_is_read() -> None:
    story = Story()
    made = await document(story, "CREATE TABLE t (id int)", "TRUNCATE public.orders")
    draft = await drafted(story, await ended(story, made))
    assert isinstance(draft, Draft)
    assert draft.document == made
    assert "destructive" in {finding.rule for finding in draft.findings}


async def test_plan_is_not_taken_when_its_log_holds_another() -> None:
    story = Story()
    draft = await drafted(story, await ended(story, await document(story), await document(story, "SELECT 1")))
    assert isinstance(draft, NoDraft)
    assert draft.reason is Reason.RUNNER_PROTOCOL_ERROR
    assert "not the one that the result names" in draft.message


@pytest.mark.parametrize(
    "lie",
    [
        lambda made: replace(made, digest="sha256:" + "0" * 64),
        lambda made: replace(made, inputs={**made.inputs, "seed": "another"}),
        lambda made: replace(made, inputs_digest="sha256:" + "0" * 64),
        lambda made: replace(made, steps=[replace(made.steps[0], kind=StepKind.OPAQUE)]),
        lambda made: replace(made, steps=[]),
    ],
    ids=["digest", "inputs", "inputs digest", "a step", "no step"],
)
async def test_plan_is_not_taken_when_its_digests_are_not_of_what_it_holds(lie: object) -> None:
    story = Story()
    made = await document(story)
    assert callable(lie)
    draft = await drafted(story, await ended(story, lie(made)))
    assert isinstance(draft, NoDraft)
    assert draft.message.endswith("its digests are not those of what it holds.")


async def test_plan_is_not_taken_when_the_rules_take_too_long() -> None:
    story = Story()
    job = await ended(story, await document(story))
    draft = await drafted(story, job, Linter(Limits(seconds=0.01)))
    assert isinstance(draft, NoDraft)
    assert draft.reason is Reason.LINT_FAILED
    assert draft.message.startswith(f"Checking the plan that Job {job.name} made: The review of the plan took longer")


async def test_plan_is_not_taken_when_it_unpacks_to_more_than_is_read() -> None:
    story = Story()
    made = await document(story, "SELECT 1 -- " + "x" * (30 << 20))
    draft = await drafted(story, await ended(story, made))
    assert isinstance(draft, NoDraft)
    assert "larger than 24 MiB" in draft.message


async def test_plan_is_not_taken_when_it_is_small_as_text_and_large_when_read() -> None:
    story = Story()
    made = await document(story)
    inputs = made.inputs | {"more": [[]] * (6 << 17)}  # 2 MiB of text: read, they are 48
    digest = inputs_digest(inputs)
    bomb = replace(made, inputs=inputs, inputs_digest=digest, digest=plan_digest(digest, made.statements_digest))
    job = await ended(story, bomb)
    del bomb, inputs, story.database.documents[job.name]
    draft = await drafted(story, job, Linter(Limits(memory=64 << 20)))
    assert isinstance(draft, NoDraft)
    assert draft.message.endswith("needs more than 64 MiB; make the revision's statements shorter, or split the plan.")


async def test_resource_comes_back_when_others_have_their_plans_checked() -> None:
    story = Story()
    await story.apply(review={"mode": "OnFindings", "evidence": "Shadow"})
    lint_slot = story.reconciler.lint_slot
    lint_slot.patience = 0.0
    async with lint_slot.acquire() as begin:
        await begin()
        await story.runs()
        assert story.ready() == ("Unknown", "Planning")
        assert story.queue.depth() == 0  # no worker is held
    await story.passes(COME_BACK)
    assert story.ready() == ("Unknown", "Migrating")


async def test_others_are_answered_meanwhile_when_a_plan_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set[bool]()

    def watched(draft_schema: object, *more: object) -> object:
        threads.add(threading.current_thread() is threading.main_thread())
        return build_plan(draft_schema, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("alembic_operator.core.gate.build_plan", watched)
    story = Story()
    await story.apply(review={"mode": "OnFindings", "evidence": "Shadow"})
    await story.runs()
    assert story.ready() == ("Unknown", "Migrating")
    assert threads == {False}
