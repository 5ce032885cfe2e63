"""One run: the target is connected to, the project loaded, and the request's command carried out."""

from __future__ import annotations

import gc
from contextlib import nullcontext
from typing import TYPE_CHECKING, Callable

from ..contract.request import RunKind
from ..contract.result import Outcome
from .commands.project import load
from .context import Invocation, RunContext
from .database.driver import RawConnection
from .database.other_connections import read_only_connects
from .database.session import Wanted, find_version_table, preflight

if TYPE_CHECKING:
    from .database.session import TargetSession
    from .database.sessions import Sessions

Command = Callable[[RunContext, RawConnection], Outcome]


def execute(run: Invocation, sessions: Sessions) -> Outcome:
    """Do what the request asks.

    Raises:
        RunFailed: for every reason that is published.
        EndRequested: on SIGTERM and at the time limit.
    """
    request = run.request
    connection = sessions.open(listener=run.gate)
    try:
        session = preflight(sessions.driver, connection, request)
        wanted = Wanted(request.version_table, request.version_table_schema)
        _locate(run, connection, session, wanted)
        path = session.search_path
        run.report.record(
            "session", searchPath=path.schemas, missing=path.missing, versionTable=str(run.facts.version_table)
        )
        for sentence in session.warnings(request):
            run.report.warn(sentence)
        if sessions.driver.name == "psycopg2":
            run.signals.cancel_on_signal(connection)
        writes = request.kind == RunKind.APPLY and request.approved is None
        with nullcontext() if writes else read_only_connects():
            context = _loaded(run, sessions, connection, session)
            return _command(request.kind)(context, connection)
    finally:
        connection.close()


def _locate(run: Invocation, connection: RawConnection, session: TargetSession, wanted: Wanted) -> None:
    """Find the version table of this run; the database's identity follows from where it is."""
    run.facts.version_table = find_version_table(connection, session.search_path, wanted)
    run.facts.database = session.facts(run.facts.version_table)


def _loaded(run: Invocation, sessions: Sessions, connection: RawConnection, session: TargetSession) -> RunContext:
    """The context, with what env.py configures in place of what the spec says."""
    project = load(run.request, sessions, session, connection)
    _locate(run, connection, project.session, project.wanted)
    for sentence in project.history.warnings:
        run.report.warn(sentence)
    gc.freeze()  # no collection walks what was imported
    gc.enable()
    return RunContext(
        run.request,
        run.report,
        run.signals,
        run.facts,
        run.network,
        run.gate,
        run.shadow,
        run.began,
        sessions=sessions,
        session=project.session,
        wanted=project.wanted,
        version_table=run.facts.version_table,
        makes=project.makes,
        history=project.history,
    )


def _command(kind: RunKind) -> Command:
    """What carries the request out. Imported late: it needs the image's Alembic, which `load` has looked for."""
    if kind == RunKind.CHECK:
        from .commands.check import check  # noqa: PLC0415

        return check
    if kind == RunKind.PLAN:
        from .commands.plan import plan  # noqa: PLC0415

        return plan
    from .commands.apply import apply  # noqa: PLC0415

    return apply
