"""The review in its own process: limits, endings and what the parent says of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.effort import examples
from tests.unit.review.plans import TODAY, plan, step

from alembic_operator.contract.plan import Statement
from alembic_operator.review.child_process import Limits, LintFailed, lint_in_child
from alembic_operator.review.lint import lint
from alembic_operator.review.result import Lint


def run(text: str, limits: Limits | None = None) -> Lint:
    return asyncio.run(lint_in_child(text, TODAY, limits or Limits()))


def test_child_finds_the_same_when_it_reviews() -> None:
    document = plan(step("DROP TABLE orders", "UPDATE users SET a = 1"))
    assert run(document.to_json()) == lint(document, TODAY)


def test_child_has_no_variable_of_the_operators_when_it_reviews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("PYTHONSTARTUP", "/tmp/startup.py")
    noting, noted = tmp_path / "python", tmp_path / "environment"
    noting.write_text(f'#!/bin/sh\ncat /proc/$$/environ >{noted}\nexec {sys.executable} "$@"\n')
    noting.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(noting))
    run(plan(step("SELECT 1")).to_json())
    given = {variable.partition("=")[0] for variable in noted.read_text().rstrip("\0").split("\0")}
    kept = {"PATH", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL", "TMPDIR"}
    assert "PATH" in given
    assert given <= kept


def test_child_imports_only_what_it_reads_plans_with() -> None:
    # Each of these takes longer than all the rules; a review takes 0.15 s as it is.
    heavy = "{'aiohttp', 'asyncio', 'kopf', 'kubernetes', 'pydantic', 'structlog', 'yaml'}"
    script = f"import sys, alembic_operator.review.__main__; print(sorted({heavy} & sys.modules.keys()))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_failure_is_told_when_the_document_is_none() -> None:
    with pytest.raises(LintFailed, match="different versions"):
        run("{}")


def test_failure_is_told_when_time_is_over() -> None:
    started = time.monotonic()
    with pytest.raises(LintFailed, match="longer than"):
        run(plan(step("SELECT 1")).to_json(), Limits(seconds=0.01))
    assert time.monotonic() - started < 5


def test_failure_is_told_when_memory_is_not_enough() -> None:
    with pytest.raises(LintFailed, match="needs more than 128 MiB"):
        run(plan(step("SELECT '" + "x" * 40_000_000 + "'")).to_json(), Limits(memory=128 * 1024**2))


def test_large_statements_do_not_fail_the_review() -> None:
    rows = ", ".join(f"({number}, 'name of {number}')" for number in range(examples(100_000)))
    found = run(plan(step(f"INSERT INTO orders VALUES {rows}", "DROP TABLE orders")).to_json())
    assert {one.rule for one in found.findings} == {"unbatched-dml", "destructive"}


def test_many_statements_do_not_fail_the_review() -> None:
    text = ";\n".join(f"INSERT INTO orders VALUES ({number}, 'name')" for number in range(examples(10_000)))
    assert not run(plan(step(text)).to_json()).findings


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
        "SELECT 1" + " + 1" * examples(35_000),
        "SELECT " + "CASE WHEN true THEN " * 3_000 + "1" + " END" * 3_000,
        "/*" * examples(20_000),
        "$$" * 9,
        "'",
        "\x00",
    ],
    ids=["parentheses", "sums", "cases", "comments", "dollars", "quote", "zero"],
)
def test_hostile_text_is_a_finding_and_no_failure(sql: str) -> None:
    found = run(plan(step(Statement(sql), "DROP TABLE orders")).to_json())
    assert ("destructive", "public.orders") in {(one.rule, one.object) for one in found.findings}


def test_review_fails_when_a_text_has_no_encoding() -> None:
    with pytest.raises(LintFailed, match="cannot read the plan"):  # it could be neither stored nor shown
        run(plan(step(Statement("SELECT '\ud800'"))).to_json())
