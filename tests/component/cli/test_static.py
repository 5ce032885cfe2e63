"""`alembic-operator plan --evidence static`: the SQL alone, without a shadow and without PostgreSQL's programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.component.cli.conftest import Tool
from tests.component.runner.project import Project

TABLE = "CREATE TABLE orders (id int PRIMARY KEY, total int)"


@pytest.fixture
def static(tool: Tool, tmp_path: Path) -> Tool:
    """A database with a table, and nothing to make a shadow with."""
    tool.env.update(PATH=str(tmp_path), ALEMBIC_OPERATOR_SHADOW_URL="")
    tool.database.execute(TABLE)
    return tool


def _pending(project: Project, *statements: str) -> Project:
    code = "\n".join(f"op.execute({statement!r})" for statement in statements)
    project.add("r1", code, downgrade='op.execute("SELECT 1")')
    return project


def test_prints_the_sql_when_there_is_no_shadow(static: Tool, project: Project) -> None:
    _pending(project, "ALTER TABLE orders ADD COLUMN region text")
    done = static(project, "--evidence", "static", "--baseline", "")
    assert (done.code, done.err) == (0, "")
    assert "rendered without a shadow: its locks, rewrites and reads are derived from its text alone" in done.out
    assert "ALTER TABLE orders ADD COLUMN region text;" in done.out


@pytest.mark.parametrize(("rows", "code", "severity"), [(3, 0, "warning"), (5000, 1, "error")])
def test_findings_count_by_the_size_of_the_target_s_tables(
    static: Tool, project: Project, rows: int, code: int, severity: str
) -> None:
    static.database.execute(f"INSERT INTO orders SELECT i FROM generate_series(1, {rows}) i; ANALYZE orders")
    _pending(project, "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid()")
    done = static(project, "--evidence", "static", "--baseline", "", "--format", "json")
    assert done.code == code, done.err
    assert [(one["rule"], one["severity"]) for one in done.json["findings"]] == [("rewrite", severity)]


def test_shows_the_source_when_a_step_cannot_be_rendered(static: Tool, project: Project) -> None:
    project.add("r1", "op.get_bind().execute(sa.text('DELETE FROM orders WHERE id = :x'), {'x': 1})")
    done = static(project, "--evidence", "static", "--baseline", "")
    assert done.code == 0, done.err
    assert "-- its SQL is not known in advance: Revision r1 cannot be rendered without a database" in done.out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--rule", "destructive=off"], 0),
        (["--rule", "destructive=warning", "--fail-on", "warning"], 1),
    ],
)
def test_exit_code_follows_the_severities_that_were_given(
    static: Tool, project: Project, options: list[str], code: int
) -> None:
    _pending(project, "ALTER TABLE orders DROP COLUMN total")
    done = static(project, "--evidence", "static", "--baseline", "", *options)
    assert done.code == code, done.out + done.err
    assert ("destructive public.orders.total" in done.out) is ("destructive=off" not in options)


def test_a_rule_can_be_made_stricter(static: Tool, project: Project) -> None:
    _pending(project, "CREATE TABLE shops (id bigint PRIMARY KEY, name text)", "REVOKE ALL ON orders FROM PUBLIC")
    options = ("--evidence", "static", "--baseline", "")
    assert static(project, *options).code == 0
    assert static(project, *options, "--rule", "destructive=error").code == 1


@pytest.mark.parametrize(("options", "code"), [(["--section", "billing", "-x", "tenant=north"], 0), ([], 2)])
def test_env_py_finds_the_section_and_the_arguments_that_are_given(
    static: Tool, project: Project, options: list[str], code: int
) -> None:
    ini = project.directory / "alembic.ini"
    ini.write_text(f"{ini.read_text()}\n[billing]\nscript_location = migrations\nversions = billing_versions\n")
    check = """
assert context.get_x_argument(as_dictionary=True) == {"tenant": "north"}
assert context.config.get_main_option("versions") == "billing_versions"
"""
    env = project.directory / "migrations" / "env.py"
    env.write_text(env.read_text().replace("import create_engine, pool\n", f"import create_engine, pool\n{check}"))
    _pending(project, "ALTER TABLE orders ADD COLUMN region text")
    done = static(project, "--evidence", "static", "--baseline", "", *options)
    assert done.code == code, done.err
