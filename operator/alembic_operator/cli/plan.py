"""`alembic-operator plan`: the runner plans in a child process, the review reads the plan, and people read both."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from alembic_operator.cli import child
from alembic_operator.cli.arguments import DATABASE_VARIABLE, SHADOW_VARIABLE, Options
from alembic_operator.cli.failure import CannotPlan
from alembic_operator.cli.interrupts import ending_by_exception
from alembic_operator.cli.review import review
from alembic_operator.cli.scratch import scratch_database
from alembic_operator.cli.server import Server
from alembic_operator.cli.show import as_json, as_text, nothing_to_do
from alembic_operator.contract import job_env
from alembic_operator.contract.bootstrap import HASH_SEED
from alembic_operator.contract.plan import PlanDocument
from alembic_operator.contract.plan_records import parts_in, unpack
from alembic_operator.contract.records import LAST_LINE
from alembic_operator.contract.request import Owner, ProtocolError, RunKind, RunRequest
from alembic_operator.contract.result import Outcome, RunResult
from alembic_operator.runner.database.secret import Target

_GRACE = 10.0  # seconds that an interrupted child has to cancel its statement


@dataclass(frozen=True)
class _Ended:
    """A child that is over: what it wrote, and the records among what it printed."""

    result: RunResult
    records: list[str]


def plan(options: Options) -> int:
    """Plan, print, and say by the exit code whether a finding counts.

    Raises:
        CannotPlan: with the remedy.
    """
    target = Server.named("--database-url", options.database_url, options.role)
    shadow = Server.named("--shadow-url", options.shadow_url) if options.evidence == "shadow" else None
    with ending_by_exception(), tempfile.TemporaryDirectory(prefix="alembic-operator-") as directory:
        with scratch_database(target, shadow) if shadow else nullcontext() as scratch:
            ended = _run(options, scratch, Path(directory))
        document = _document(ended)
        if document is None:
            sys.stdout.write(nothing_to_do(ended.result, options.format))
            return 0
        reviewed = review(document, datetime.now(UTC).date(), options.rules)
        show = as_json if options.format == "json" else as_text
        sys.stdout.write(show(document, reviewed, ended.result.warnings))
        return 1 if reviewed.counts(options.fail_on) else 0


def _run(options: Options, scratch: Server | None, directory: Path) -> _Ended:
    (directory / child.SECRET).mkdir()
    _write(directory / child.SECRET / child.SECRET_KEY, options.database_url)
    if scratch is not None:
        _write(directory / child.SHADOW, url_of(scratch.target))
    hidden = (DATABASE_VARIABLE, SHADOW_VARIABLE)
    kept = {name: value for name, value in os.environ.items() if name not in hidden} | dict([HASH_SEED])
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", child.__name__, str(directory)],
        env={**kept, job_env.REQUEST_VARIABLE: _request(options).to_json()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # a ^C reaches the parent alone, which ends the child in order
    )
    with process:
        try:
            records = _read(process)
            process.wait()
        except BaseException:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    try:
        return _Ended(RunResult.from_json((directory / child.RESULT).read_text("utf-8")), records)
    except (OSError, ProtocolError):
        raise CannotPlan(
            f"Planning: the child process ended with code {process.returncode} and no result. See its output above."
        ) from None


def _read(process: subprocess.Popen[str]) -> list[str]:
    """The records; what else the project's own code prints goes to standard error."""
    records: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(job_env.RECORD_PREFIX):
            records.append(line)
        elif line.strip() and not line.startswith(LAST_LINE):
            sys.stderr.write(line)
    return records


def _document(ended: _Ended) -> PlanDocument | None:
    """The plan; None where there is nothing to do."""
    result = ended.result
    if result.failure is not None:
        failure = result.failure
        where = f" (revision {failure.revision}, statement {failure.statement})" if failure.statement else ""
        raise CannotPlan(f"{failure.reason.value}: {failure.message}{where}")
    if result.outcome != Outcome.PLANNED or result.plan is None:
        return None
    try:
        return unpack(parts_in(ended.records, result.plan.parts), result.plan.sha256)
    except ProtocolError as error:
        raise CannotPlan(f"Reading the plan of the child process: {error}.") from None


def _request(options: Options) -> RunRequest:
    return RunRequest(
        kind=RunKind.PLAN,
        target=Owner("", "", "", ""),  # nobody's: it claims nothing, whoever manages the database
        generation=0,
        job="alembic-operator-plan",
        revision=options.to[0] if len(options.to) == 1 else "",
        revisions=sorted(options.to) if len(options.to) > 1 else [],
        secret_name="--database-url",  # noqa: S106 - an option's name
        secret_key=child.SECRET_KEY,
        search_path=list(options.search_path),
        role=options.role,
        path=str(options.project),
        config_file=options.config,
        section=options.section,
        x=list(options.x),
        version_table=options.version_table,
        version_table_schema=options.version_table_schema,
        baseline=list(options.baseline) if options.baseline is not None else None,
        allow_downgrade=options.allow_downgrade,
        evidence=options.evidence.capitalize(),
        network=options.network.capitalize(),
    )


def _write(path: Path, secret: str) -> None:
    path.touch(0o600)
    path.write_text(secret, "utf-8")


def url_of(target: Target) -> str:
    """A URL that is read as this target."""
    user, password, dbname = (quote(part, safe="") for part in (target.user, target.password, target.dbname))
    pairs = zip(target.host.split(","), target.port.split(","), strict=False)
    hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in pairs)
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in target.options.items())
    return f"postgresql://{user}:{password}@{hosts}/{dbname}" + (f"?{query}" if query else "")
