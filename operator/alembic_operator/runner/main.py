"""Where the zipapp begins: the request is read, the run done, and exactly one result written."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Callable

from ..contract import job_env
from ..contract.reasons import Reason
from ..contract.request import ProtocolError, RunKind, RunRequest
from ..contract.result import Outcome, RunResult
from .errors import RunFailed
from .report import Report, now, publish
from .run import Run, as_run_failed
from .signals import Signals
from .zipapp.helpers import offer_bundled_helpers

if TYPE_CHECKING:
    from .database.driver import Driver
    from .planning.shadow import Shadow

_DOING = {RunKind.CHECK: "Reading", RunKind.PLAN: "Planning", RunKind.APPLY: "Migrating"}
_LISTED = 20  # applied revisions; more never fit into 4 KiB


def main(shadow: Callable[[Driver, RunRequest, tuple[str, ...]], Shadow] | None = None) -> int:
    """Do the run that the environment asks for.

    Args:
        shadow: for a plan outside of a pod: a database that the target's schema was restored into beforehand.

    Returns:
        The exit code: 0 for an outcome that the operator may take as it is, 1 for a failure.
    """
    started = now()
    try:
        request = RunRequest.from_json(os.environ.get(job_env.REQUEST_VARIABLE, ""))
    except ProtocolError as error:
        return publish(_unreadable(error, started))
    report = Report()
    signals = Signals(request.timeouts.run)
    run = Run(request, report, signals)
    run.shadow = shadow
    failed: RunFailed | None = None
    outcome = Outcome.FAILED
    try:
        report.record("started", kind=request.kind.value, revision=", ".join(request.wanted), job=request.job)
        offer_bundled_helpers()
        outcome = run.execute()
        signals.disarm()
    except KeyboardInterrupt:
        signals.disarm()
        failed = _ended(run, signals)
    except Exception as error:
        signals.disarm()  # first: a signal in this block would hide what it is about to say
        # A revision that swallowed the signal's exception fails soon after, by the connection that was cancelled.
        failed = as_run_failed(error, run.place) if signals.requested is None else _ended(run, signals)
        if not isinstance(error, RunFailed):
            traceback.print_tb(error.__traceback__)
    if failed is not None:
        failed = run.after_failure(failed)
    return publish(_result(run, outcome, failed, started))


def _result(run: Run, outcome: Outcome, failed: RunFailed | None, started: str) -> RunResult:
    request, report = run.request, run.report
    applied = run.running.applied if run.running is not None else []
    return RunResult(
        kind=request.kind,
        outcome=outcome if failed is None else Outcome.FAILED,
        target_uid=request.target.uid,
        generation=request.generation,
        job=request.job,
        database=run.database,
        before=run.before,
        current=run.current,
        target_revisions=run.targets,
        pending=run.pending,
        applied=applied[-_LISTED:],
        applied_count=len(applied),
        failure=failed.failure if failed is not None else None,
        owner=run.owner,
        plan=run.receipt if failed is None else None,
        verification=run.verification,
        warnings=report.warnings,
        started_at=started,
        finished_at=now(),
        records=report.count,
        records_sha256=report.sha256,
    )


def _ended(run: Run, signals: Signals) -> RunFailed:
    """SIGTERM, or the time limit."""
    reason = signals.requested or Reason.INTERRUPTED
    revision = run.running.revision if run.running is not None else ""
    statement = run.running.statements if run.running is not None and revision else 0
    if revision:
        what = f'Applying revision "{revision}", statement {statement}'
        found, left = "the statement was cancelled", "The revision was rolled back. "
    else:
        what = f"{_DOING[run.request.kind]} {run.place}"
        found, left = "no revision was under way", ""
    if run.rehearsing:
        what, found = f'Trying revision "{run.rehearsing}" in the shadow', "it was under way"
    if run.request.kind == RunKind.PLAN:
        left = "Nothing was sent to the target. "
    if reason == Reason.DEADLINE_EXCEEDED:
        why = f"spec.timeouts.run ({run.request.timeouts.run:g} s) was over"
        todo = "Raise it if the work needs longer"
        todo += "." if run.request.kind == RunKind.PLAN else "; what was applied before stays applied."
    else:
        why = "the pod was asked to end"
        todo = "The next run goes on from there."
    return RunFailed(reason, f"{what}: {why}; {found}", left + todo, revision=revision, statement=statement)


def _unreadable(error: ProtocolError, started: str) -> RunResult:
    failed = RunFailed(
        Reason.RUNNER_PROTOCOL_ERROR,
        f"Reading the run request in {job_env.REQUEST_VARIABLE}: {error}. Operator and runner are of different "
        f"versions.",
    )
    return RunResult(
        kind=RunKind.CHECK,
        outcome=Outcome.FAILED,
        target_uid="",
        generation=-1,
        job="",
        failure=failed.failure,
        started_at=started,
        finished_at=now(),
    )
