"""Where the zipapp begins: the request is read, the run done, and exactly one result written."""

from __future__ import annotations

import os
import traceback

from ..contract import job_env
from ..contract.reasons import Reason
from ..contract.request import ProtocolError, RunKind, RunRequest
from ..contract.result import Outcome, RunResult
from .commands.failure import after_failure, as_run_failed, ended
from .context import Invocation, ShadowMaker
from .database.sessions import Sessions
from .errors import RunFailed
from .report import now, publish
from .run import execute
from .terms import IN_A_JOB, Words
from .zipapp.helpers import offer_bundled_helpers


def main(shadow: ShadowMaker | None = None, words: Words = IN_A_JOB) -> int:
    """Do the run that the environment asks for.

    Args:
        shadow: for a plan outside of a pod: a database that the target's schema was restored into beforehand.
        words: of whoever reads the result.

    Returns:
        The exit code: 0 for an outcome that the operator may take as it is, 1 for a failure.
    """
    started = now()
    try:
        request = RunRequest.from_json(os.environ.get(job_env.REQUEST_VARIABLE, ""))
    except ProtocolError as error:
        return publish(_unreadable(error, started))
    run = Invocation.of(request, shadow, words)
    sessions: Sessions | None = None
    failed: RunFailed | None = None
    outcome = Outcome.FAILED
    try:
        run.report.record("started", kind=request.kind.value, revision=", ".join(request.wanted), job=request.job)
        offer_bundled_helpers()
        if request.kind == RunKind.PLAN:
            run.network.guard(network_open=request.network == "Open")
        sessions = Sessions.of(request)
        outcome = execute(run, sessions)
        run.signals.disarm()
    except KeyboardInterrupt:
        run.signals.disarm()
        failed = ended(run.facts, request, run.signals.requested or Reason.INTERRUPTED)
    except Exception as error:
        run.signals.disarm()  # first: a signal in this block would hide what it is about to say
        asked = run.signals.requested
        # A revision that swallowed the signal's exception fails soon after, by the connection that was cancelled.
        failed = as_run_failed(error, run.facts.version_table) if asked is None else ended(run.facts, request, asked)
        if not isinstance(error, RunFailed):
            traceback.print_tb(error.__traceback__)
    if failed is not None:
        failed = after_failure(run, sessions, failed)
    return publish(run.facts.result(request, run.report, outcome, failed, started))


def _unreadable(error: ProtocolError, started: str) -> RunResult:
    failed = RunFailed(
        Reason.RUNNER_PROTOCOL_ERROR,
        f"Reading the run request in {job_env.REQUEST_VARIABLE}: {error}. Operator and runner have different versions.",
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
