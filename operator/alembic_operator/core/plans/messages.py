"""The sentences about plans and decisions."""

from __future__ import annotations

from alembic_operator.api.plan import SchemaPlan
from alembic_operator.api.plan_spec import PlanFinding, PlanSpec
from alembic_operator.api.status import PlanRef
from alembic_operator.api.status_bounds import cut
from alembic_operator.contract.result import RunResult
from alembic_operator.core.plans.approval import Verdict
from alembic_operator.core.status.messages import joined

_NO_CHANGE = "The rejection stands until the plan's inputs change."


def plan_made(ref: PlanRef) -> str:
    """A plan was created."""
    return f"SchemaPlan {ref.name} ({ref.digest}) was created: {ref.direction.lower()}, {ref.summary}."


def replanned(message: str) -> str:
    """A plan was out of date, and nothing was sent."""
    return joined(message, "Creating a new plan.")


def superseded(name: str, why: str) -> str:
    """A plan no longer matches what would run."""
    return joined(f"SchemaPlan {name} is out of date: {cut(why, 600)}")


def claimed(result: RunResult) -> str:
    """Nothing is pending, and the journal does not name this resource as the owner yet."""
    return (
        f"Job {result.job} found no pending revisions; starting an apply Job to record this resource as the database's "
        "owner."
    )


def part_done(result: RunResult) -> str:
    """A baseline or a repair succeeded, and revisions remain."""
    return f"Job {result.job} succeeded; planning the remaining revisions."


def counts(plan: PlanSpec, why: str = "") -> str:
    """The numbers of findings and steps, except for those that `why` contains."""
    steps = len(plan.steps) + plan.steps_left_out
    parts = ((plan.errors, "error"), (plan.warnings, "warning"), (steps, "step"))
    told = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count]
    return ", ".join(part for part in told if part not in why.split(" and "))


def waits(plan: SchemaPlan, verdict: Verdict, *, policies: bool, fault: str = "", other_digest: str = "") -> str:
    """A plan is waiting for approval. At most 1 KiB."""
    where, name = f"kubectl -n {plan.namespace}", plan.name
    head = f"SchemaPlan {name} is waiting for approval: {verdict.why} ({counts(plan.plan, verdict.why)})."
    if fault:
        return joined(
            head, f"It cannot be approved: {fault}. Delete it to have it created again: {where} delete splan {name}."
        )
    if not plan.plan.sql:
        return joined(head, "It cannot be approved. Name an earlier revision in the spec to make a smaller plan.")
    read = f"Read it: {where} describe splan {name}."
    approve = f"To approve it, set spec.review.approvedDigest to {plan.plan.digest}"
    approve += ", or set spec.decision of the SchemaPlan." if policies else "."
    note = f"spec.review.approvedDigest names another plan ({other_digest[:19]}…)." if other_digest else ""
    worst = _worst(verdict.worst)
    room = 1000 - sum(len(part) + 1 for part in (head, read, approve, note))
    return joined(head, cut(worst, room) if worst and room > 40 else "", note, read, approve)


def _worst(finding: PlanFinding | None) -> str:
    if finding is None:
        return ""
    where = f" in revision {finding.revision}" if finding.revision else ""
    about = f" on {finding.object}" if finding.object else ""
    return f"Worst finding: {finding.rule}{where}{about}: {finding.message}"


def rejected(plan: SchemaPlan, verdict: Verdict) -> str:
    """A plan was rejected."""
    why = f": {cut(verdict.reason, 400)}" if verdict.reason else ""
    return joined(
        f"SchemaPlan {plan.name} was rejected by {verdict.by}{why}",
        f"{_NO_CHANGE} To withdraw it: kubectl -n {plan.namespace} delete splan {plan.name}.",
    )


def approved(name: str, digest: str, by: str) -> str:
    """A plan may run."""
    return f"SchemaPlan {name} ({digest}) may run, approved by {by}."


def still_going(plan: SchemaPlan) -> str:
    """A deleted plan with the same name still exists."""
    return (
        f"Cannot create SchemaPlan {plan.name}: a deleted plan with that name still exists because of a finalizer. To "
        f"see it: kubectl -n {plan.namespace} get splan {plan.name} -o yaml. The operator retries automatically."
    )


def name_taken(name: str) -> str:
    """A plan with other contents has the name."""
    return (
        f"Cannot create SchemaPlan {name}: a different plan with that name exists. It was left unchanged. "
        "Delete it, then set the annotation alembic-operator.dev/retry-at to a new value."
    )
