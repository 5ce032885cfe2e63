"""From the log of a plan run to a checked draft: what the result pins, and nothing else, is taken for the plan.

A broken log, or a plan that cannot be checked by the rules, is told as such and never becomes a plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from alembic_operator.cluster.errors import NotFound, Refused
from alembic_operator.cluster.port import Cluster
from alembic_operator.contract import job_env
from alembic_operator.contract.digests import inputs_digest, plan_digest, statements_digest
from alembic_operator.contract.plan import Direction, PlanDocument, StepKind
from alembic_operator.contract.plan_records import parts_in, unpacked
from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import ProtocolError, RunKind, RunRequest
from alembic_operator.contract.result import PlanReceipt
from alembic_operator.core.model.draft import Draft, NoDraft
from alembic_operator.core.model.findings import Finding
from alembic_operator.core.model.observed import Job

# Bytes of JSON. 5 MiB of SQL in 20,000 statements make 8; in memory a document takes some ten times as much.
LARGEST = 24 << 20


class Checked(Protocol):
    """What the rules say of a plan."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of each step, and of the plan."""
        ...

    @property
    def waiver_faults(self) -> tuple[str, ...]:
        """Sentences, each with the file."""
        ...


class NotChecked(Exception):
    """The rules could not be applied: too long, too large, or a fault of ours. Its text is a sentence."""


# Checks the text of a plan document by the rules, on a day. Raises NotChecked.
Lint = Callable[[str, date], Awaitable[Checked]]


@dataclass(frozen=True)
class PlanLinter:
    """Reads and checks one plan at a time: a single one may need all the memory that there is for it.

    Attributes:
        lint: the rules.
        take: takes the slot when the first plan is read. Raises SlotBusy.
    """

    lint: Lint
    take: Callable[[], Awaitable[None]]


async def draft_of(
    cluster: Cluster, namespace: str, job: Job, today: date, linter: PlanLinter
) -> Draft | NoDraft | None:
    """What a plan run that has ended made; None when it made no plan.

    Raises:
        SlotBusy: others come first.
        ClusterError: the log could not be asked for.
    """
    pod = next((pod for pod in job.pods if pod.ended is not None), None)
    result = pod.ended.result if pod is not None and pod.ended is not None else None
    receipt = result.plan if result is not None else None
    if job.kind is not RunKind.PLAN or pod is None or receipt is None:
        return None
    await linter.take()
    try:
        log = await cluster.read_log(namespace, pod.name, job_env.CONTAINER)
    except (NotFound, Refused):
        return None  # it is gone: told as a run whose plan could not be read
    try:
        text = await asyncio.to_thread(_text, log, receipt)
        checked = await linter.lint(text, today)
        # Only now is it read here: what the rules' process could read, this one has the memory for.
        document = await asyncio.to_thread(_document, text, receipt)
        _check_asked(document, job.asked)
    except ProtocolError as error:
        return NoDraft(Reason.RUNNER_PROTOCOL_ERROR, f"Reading the plan from the log of Job {job.name}: {error}.")
    except NotChecked as error:
        return NoDraft(Reason.LINT_FAILED, f"Checking the plan that Job {job.name} made: {error}")
    return Draft(document, tuple(checked.findings), tuple(checked.waiver_faults))


def _text(log: str, receipt: PlanReceipt) -> str:
    """The text of the document in the log. Raises ProtocolError."""
    return unpacked(parts_in(_records(log), receipt.parts), receipt.sha256, LARGEST)


def _records(log: str) -> Iterator[str]:
    """The lines that may be records; as a list, millions of short ones would take twenty times their length."""
    at = log.find(job_env.RECORD_PREFIX)
    while at >= 0:
        end = log.find("\n", at)
        end = len(log) if end < 0 else end
        if at == 0 or log[at - 1] == "\n":
            yield log[at:end]
        at = log.find(job_env.RECORD_PREFIX, end)


def _document(text: str, receipt: PlanReceipt) -> PlanDocument:
    """The document, as its digests say. Raises ProtocolError."""
    document = PlanDocument.from_json(text)
    inputs, statements = inputs_digest(document.inputs), statements_digest(document.steps)
    told = (document.inputs_digest, document.statements_digest, document.digest, receipt.digest)
    digest = plan_digest(inputs, statements)
    if told != (inputs, statements, digest, digest):
        raise ProtocolError("its digests are not those of what it holds")
    return document


def _check_asked(document: PlanDocument, request: RunRequest | ProtocolError) -> None:
    """See that the plan is for what the run was asked, and shows what its digest is over.

    Raises:
        ProtocolError: it is another plan, or nobody can tell what was asked.
    """
    if isinstance(request, ProtocolError):
        raise request
    told, asked = _told(document), _asked(document, request)
    other = [name for name in asked if told[name] != asked[name]]
    if other:
        raise ProtocolError(f"it is not the plan that was asked for ({', '.join(other)})")
    opaque = [step.revision for step in document.steps if step.kind is StepKind.OPAQUE]
    if opaque and document.evidence != "Static":
        raise ProtocolError(f"it has seen the shadow, and does not show the SQL of revision {opaque[0]}")


def _told(document: PlanDocument) -> dict[str, Any]:
    inputs = document.inputs
    steering = inputs.get("steering")
    names = ("schema", "image", "database", "journal", "from", "to", "direction", "bundle")
    steered = {name: steering.get(name) if isinstance(steering, dict) else None for name in _STEERING}
    return (
        {name: inputs.get(name) for name in names}
        | steered
        | {
            "evidence": document.evidence,
            "revision": sorted(document.to_revisions),
            "allowDowngrade": document.direction is Direction.DOWNGRADE,
            "baseline": document.direction is Direction.BASELINE,
        }
    )


_STEERING = (
    "role", "searchPath", "path", "python", "configFile", "environment", "env", "section", "x", "connectionEnv"
)  # fmt: skip


def _asked(document: PlanDocument, request: RunRequest) -> dict[str, Any]:
    """The same, as it has to be."""
    runs = document.direction in (Direction.UPGRADE, Direction.DOWNGRADE) and request.wanted not in (
        ["head"],
        ["heads"],
    )
    return {
        "schema": request.target.uid,
        "image": request.image,
        "database": document.identity,
        "journal": document.journal_id,
        "from": sorted(document.from_revisions),
        "to": sorted(document.to_revisions),
        "direction": document.direction.value,
        "bundle": document.bundle_digest,
        "role": request.role,
        "searchPath": request.pinned_search_path or _told(document)["searchPath"],
        "path": request.path,
        "python": request.python,
        "configFile": request.config_file,
        "environment": request.environment,
        "env": sorted(request.env_names),
        **{name: request.of_env_py.get(name) for name in ("section", "x", "connectionEnv")},
        "evidence": request.evidence,
        "revision": sorted(request.wanted) if runs else sorted(document.to_revisions),
        "allowDowngrade": document.direction is Direction.DOWNGRADE and request.allow_downgrade,
        "baseline": document.direction is Direction.BASELINE and bool(request.baseline),
    }
