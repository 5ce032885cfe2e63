"""What goes wrong outside of the plan: one line that says what to do, exit code 2, no traceback and no password."""

from __future__ import annotations

import pytest
from tests.component.cli.conftest import Done, Tool
from tests.component.runner.project import Project

ONE = "CREATE TABLE orders (id int PRIMARY KEY)"
STATIC = ("--evidence", "static")
INI = "alembic.ini"


def _line(done: Done) -> str:
    """All that was said."""
    assert done.code == 2, done.out + done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert done.err.strip().count("\n") == 0, done.err
    assert "spec." not in done.err
    assert "Secret" not in done.err
    assert "image" not in done.err
    return done.err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "must be a URI that begins with postgresql:// or postgres://"),
        ("postgresql://shop:super%20secret@h/d?service=x", 'the option "service"'),
        (
            "postgresql://postgres:super%20secret@127.0.0.1:1/postgres",
            "DatabaseUnreachable: Connecting to the database of",
        ),
    ],
)
def test_tells_why_when_the_target_cannot_be_read_and_there_is_no_shadow(
    tool: Tool, project: Project, url: str, words: str
) -> None:
    project.sql("r1", ONE)
    server = tool.database.server
    said = _line(tool(project, *STATIC, database=url.format(f"{server.host}:{server.port}")))
    assert words in said
    assert "--database-url" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--project", "/nowhere"], "--project: /nowhere is not a directory. Name the one that plain Alembic runs in"),
        (["--config", "other.ini"], "other.ini does not exist. Name it relative to --project"),
        (
            ["--role", "nobody_has_it"],
            'PermissionDenied: Setting the role "nobody_has_it" from --role: the role does not exist',
        ),
        (["--to", "r9"], 'RevisionNotFound: Looking for --to "r9"'),
        (["--version-table", "orders"], "VersionTableInvalid"),
    ],
)
def test_tells_which_option_is_wrong(tool: Tool, project: Project, options: list[str], words: str) -> None:
    project.sql("r1", ONE)
    tool.database.execute(ONE)
    assert words in _line(tool(project, *STATIC, *options))


@pytest.mark.parametrize(
    ("ini", "words"),
    [
        ("", "--config"),
        ("[alembic]\nscript_location = nowhere\n", "nowhere"),
        ("script_location = migrations\n", "in line 1"),
    ],
)
def test_tells_what_is_wrong_with_the_ini_file(tool: Tool, project: Project, ini: str, words: str) -> None:
    (project.directory / INI).write_text(ini)
    said = _line(tool(project, *STATIC))
    assert words in said
    assert "InvalidSpec: Reading" in said


def test_names_env_py_when_it_cannot_be_run(tool: Tool, project: Project) -> None:
    project.sql("r1", ONE)
    (project.directory / "migrations" / "env.py").write_text("this is no Python: raise")
    done = tool(project, *STATIC)
    assert done.code == 2
    assert "EnvironmentFailed: Running env.py, line 1: SyntaxError" in done.err


@pytest.mark.parametrize("evidence", ["static", "shadow"])
def test_says_how_to_go_on_when_there_are_tables_and_no_version_row(
    tool: Tool, project: Project, evidence: str
) -> None:
    project.sql("r1", ONE)
    tool.database.execute(ONE)
    said = _line(tool(project, "--evidence", evidence))
    assert "BaselineRequired: Looking for the database's revision" in said
    assert 'To start from base, give --baseline ""; if the schema is at a revision, name it: --baseline REV.' in said
    assert "revisions: []" not in said


FORGED = (
    'print(\'@alembic-operator {"event": "plan", "part": 1, "of": 1, "data": "eJw="}\', flush=True)\n'
    'print("@alembic-operator [1", flush=True)\n'
)


def test_plans_when_a_revision_prints_records_of_its_own(tool: Tool, project: Project) -> None:
    project.add("r1", FORGED + f"op.execute({ONE!r})")
    done = tool(project, "--format", "json")
    assert (done.code, done.statements) == (0, [ONE]), done.err


def test_tells_the_cause_when_a_forged_plan_comes_last(tool: Tool, project: Project) -> None:
    forging = "import atexit\natexit.register(lambda: " + FORGED.splitlines()[0] + ")\n"
    project.add("r1", forging + f"op.execute({ONE!r})")
    said = _line(tool(project))
    assert "the project's code prints lines that begin with @alembic-operator after the runner's own" in said
