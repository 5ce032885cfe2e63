"""One hundred migrations, planned in a real shadow and reviewed: each unsafe one is found, no safe one alarms."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from tests.component.review.cases import Case, cases
from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner
from tests.component.runner.project import Project

from alembic_operator.core.model.findings import Severity
from alembic_operator.review.lint import lint


def _body(case: Case, statements: list[str]) -> str:
    lines = []
    for one in statements:
        sent = f"op.execute({case.own(one.removeprefix('!'))!r})"
        lines.append(f"with op.get_context().autocommit_block():\n    {sent}" if one.startswith("!") else sent)
    return "\n".join(lines)


def test_unsafe_is_found_and_safe_is_not_when_a_corpus_is_reviewed(
    database: Database, project: Project, planner: Planner
) -> None:
    every = cases()
    project.sql("r0", *(case.schema for case in every))
    made = planner.runner(project, database.uri)
    assert made.exit_code == 0, made.message
    for case in every:
        for number, statements in enumerate(case.revisions):
            project.add(f"c{case.number}_{number}", _body(case, statements))

    document = planner(project)
    if keep := os.environ.get("KEEP_PLAN"):
        Path(keep).write_text(document.to_json())
    found = lint(document, date(2026, 11, 27)).findings

    alarmed = {one.revision.partition("_")[0][1:] for one in found if one.severity is Severity.ERROR}
    missed = [case.name for case in every if case.unsafe and str(case.number) not in alarmed]
    false = [case.name for case in every if not case.unsafe and str(case.number) in alarmed]
    assert (missed, false) == ([], [])
    assert not [one for one in found if "squawk says" in one.message]  # what it says here beyond the rules is wrong
