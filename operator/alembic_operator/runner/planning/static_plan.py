"""Evidence Static: the steps rendered without a database, where that can be done faithfully; else shown as source.

Alembic's own offline mode is silently wrong in places: it drops bound parameters, renders Python's defaults as NULL and
replaces tabs. Here each text is compiled anew, and whatever an offline run cannot know makes the step opaque.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import text
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.elements import TextClause

from ...contract.fingerprints import fingerprints, text_fingerprint
from ...contract.masking import mask
from ...contract.plan import PlanDocument, Statement, Step, StepKind
from ..alembic_private import execute_by
from ..history.steps import steps_to
from ..migrate.migration import _line
from ..migrate.transactions import controls, prepares
from .catalog import relations_named
from .document import document, step_of
from .redirect import redirected_to
from .target_check import check_steps
from .task import Task

_BEGINS = ("BEGIN", "START TRANSACTION")
_ASKED = {"is_offline_mode": "context.is_offline_mode()", "as_sql": "as_sql of the context"}


class _Unknown(Exception):
    """What is asked for is known with a database only; the text is the rest of a sentence about the step."""


@dataclass
class _Rendered:
    """What a step would send."""

    statements: list[Statement] = field(default_factory=list)
    autocommit: bool = False
    committed: bool = False
    escapes: list[str] = field(default_factory=list)
    unknown: str = ""  # the step's code may swallow the exception

    def refuse(self, why: str) -> _Unknown:
        """Note what cannot be rendered."""
        self.unknown = self.unknown or why
        return _Unknown(why)


def plan_statically(task: Task) -> PlanDocument:
    """Render the steps; no shadow is needed. The target's catalog tells how large what they name is."""
    steps = [_step(task, step) for step in steps_of(task)]
    check_steps(task, [step.revision for step in steps])
    return document(task, steps, "Static", relations=relations_named(task.target, steps))


def steps_of(task: Task) -> list[RevisionStep]:
    """The steps of the plan, in order."""
    return steps_to(task.history, task.direction, task.targets, task.rows)


def _step(task: Task, step: RevisionStep) -> Step:
    revision = step.revision.revision
    task.progress(revision)
    source = Path(step.revision.path).read_text("utf-8", "replace")
    try:
        _ask_nothing(source)
        rendered, again = _render(task, step), _render(task, step)
        if [one.sql for one in rendered.statements] != [one.sql for one in again.statements]:
            raise _Unknown("its SQL differs each time it runs")
    except _Unknown as unknown:
        return _opaque(task, revision, source, f"Revision {revision} cannot be rendered without a database: {unknown}.")
    except (Exception, SystemExit) as error:
        found = str(error) if type(error).__name__ == "HelperError" else f"{type(error).__name__} in {_line(error)}"
        return _opaque(task, revision, source, f"Revision {revision} cannot be rendered without a database: {found}.")
    finally:
        task.progress("")
    return step_of(
        task,
        revision,
        statements=rendered.statements,
        transactional=not rendered.committed,
        escapes=rendered.escapes,
    )


def _opaque(task: Task, revision: str, source: str, why: str) -> Step:
    return step_of(task, revision, kind=StepKind.OPAQUE, source=mask(source, task.secrets), why_opaque=why)


def _ask_nothing(source: str) -> None:
    """See that the file does not ask whether it is rendered, as it might do something else then."""
    for node in ast.walk(ast.parse(source)):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in _ASKED:
            raise _Unknown(f"it checks {_ASKED[name]}, and may behave differently when it runs")


def _render(task: Task, step: RevisionStep) -> _Rendered:
    rendered = _Rendered()
    with EnvironmentContext(task.history.config, task.history.script, as_sql=True) as environment:
        environment.configure(
            dialect_name="postgresql",
            dialect_opts={"paramstyle": "named"},
            literal_binds=True,
            output_buffer=io.StringIO(),
            version_table=task.version_table.table,
            version_table_schema=task.version_table.schema,
        )
        context = environment.get_context()
        _listen(task, context, rendered)

        def opened() -> None:
            raise rendered.refuse("it opens its own database connection")

        with Operations.context(context), redirected_to({}, opened):
            step.migration_fn()
    if rendered.unknown:
        raise _Unknown(rendered.unknown)
    return rendered


def _listen(task: Task, context: MigrationContext, rendered: _Rendered) -> None:
    """Have each statement as a text of its own."""
    impl = context.impl

    def render(construct: Any, *_more: Any, multiparams: Any = None, params: Any = None, **_options: Any) -> None:
        if multiparams or params:
            raise rendered.refuse("it sends bound parameters")
        try:
            rendered.statements.append(_statement(task, _compile(construct, context), rendered))
        except _Unknown as unknown:
            raise rendered.refuse(str(unknown)) from None

    def send(construct: Any, parameters: Any = None) -> None:
        if parameters:
            raise rendered.refuse("it sends bound parameters on the connection")
        render(construct)

    @contextmanager
    def autocommit_block() -> Iterator[None]:
        rendered.autocommit = rendered.committed = True
        try:
            yield
        finally:
            rendered.autocommit = False

    execute_by(context, render)
    context.autocommit_block = autocommit_block  # type: ignore[method-assign]
    context.connection = impl.connection = MockConnection(context.dialect, send)  # type: ignore[assignment]


def _compile(construct: Any, context: MigrationContext) -> str:
    found = text(construct) if isinstance(construct, str) else construct
    if isinstance(found, TextClause) and any(one.required for one in found._bindparams.values()):
        raise _Unknown("a colon in its SQL reads as a parameter without a value")
    options = {} if isinstance(found, DDLElement) else {"literal_binds": True}
    compiled: Any = found.compile(dialect=context.dialect, compile_kwargs=options)
    if getattr(compiled, "insert_prefetch", None) or getattr(compiled, "update_prefetch", None):
        raise _Unknown("Python computes a column's default")
    return str(compiled).strip()


def _statement(task: Task, sql: str, rendered: _Rendered) -> Statement:
    value, ddl = text_fingerprint(sql)
    if prepares(sql):
        number = len(rendered.statements) + 1
        rendered.escapes.append(f"Statement {number} prepares a transaction that outlasts the session.")
    statement = Statement(sql=mask(sql, task.secrets), fingerprint=value, ddl=ddl, autocommit=rendered.autocommit)
    if controls(sql):
        rendered.committed = True
        rendered.autocommit = fingerprints(sql)[-1].keyword not in _BEGINS
    return statement
