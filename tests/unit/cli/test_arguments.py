"""The command line: what is taken, what is refused, and that no URL is ever shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alembic_operator.api.review import NEVER_LOWERED
from alembic_operator.cli.arguments import DATABASE_VARIABLE, SHADOW_VARIABLE, Options, parse
from alembic_operator.cli.failure import CannotPlan
from alembic_operator.cli.plan import url_of
from alembic_operator.cli.server import Server
from alembic_operator.runner.database.secret import parse_uri

URL, SHADOW = "postgresql://u:hunter2@h/d", "postgresql://s:hunter3@h/s"


@pytest.fixture
def project(tmp_path: Path) -> str:
    (tmp_path / "alembic.ini").write_text("[alembic]\n")
    return str(tmp_path)


def _parse(project: str, *options: str, environ: dict[str, str] | None = None) -> Options:
    return parse(["plan", "--project", project, *options], environ or {})


def test_takes_urls_from_options_before_the_environment(project: str) -> None:
    both = {DATABASE_VARIABLE: "postgresql://other/d", SHADOW_VARIABLE: SHADOW}
    found = _parse(project, "--database-url", URL, environ=both)
    assert (found.database_url, found.shadow_url) == (URL, SHADOW)
    assert "hunter" not in repr(found)


def test_has_the_defaults_of_the_spec(project: str) -> None:
    found = _parse(project, "--database-url", URL, "--shadow-url", SHADOW)
    assert (found.to, found.search_path, found.config, found.version_table) == (
        ("head",),
        (),
        "alembic.ini",
        "",
    )
    assert (found.format, found.fail_on, found.baseline, found.allow_downgrade) == ("text", "error", None, False)


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (["--to", "3f2a9c1d7e55"], "to", ("3f2a9c1d7e55",)),
        (["--to", "a2,b2"], "to", ("a2", "b2")),
        (["--to", "heads"], "to", ("heads",)),
        (["--to", "2.4_add users"], "to", ("2.4_add users",)),
        (["--search-path", "shop,public"], "search_path", ("shop", "public")),
        (["--baseline", ""], "baseline", ()),
        (["--baseline", "a,b"], "baseline", ("a", "b")),
        (["--version-table-schema", "shop"], "version_table_schema", "shop"),
        (["--fail-on", "never"], "fail_on", "never"),
        (["--format", "json"], "format", "json"),
        (["--allow-downgrade"], "allow_downgrade", True),
        (["--rule", "fk-index=error", "--rule", "jsonb=off"], "rules", {"fk-index": "error", "jsonb": "off"}),
        (["--rule", "transaction-escape=error"], "rules", {"transaction-escape": "error"}),
        ([], "rules", {}),
        ([], "evidence", "shadow"),
        (["-x", "tenant=north", "-x", "verbose"], "x", ("tenant=north", "verbose")),
        (["-x", "note=a=b c"], "x", ("note=a=b c",)),
        ([], "x", ()),
        (["--section", "billing"], "section", "billing"),
        ([], "section", "alembic"),
    ],
)
def test_takes_what_the_spec_can_say(project: str, options: list[str], name: str, value: object) -> None:
    assert getattr(_parse(project, "--database-url", URL, "--shadow-url", SHADOW, *options), name) == value


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--database-url is missing, and ALEMBIC_OPERATOR_DATABASE_URL is not set"),
        (["--database-url", URL], "--shadow-url is missing, and ALEMBIC_OPERATOR_SHADOW_URL is not set"),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--to", "+1"],
            "--to: must be comma-separated full revision ids",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--to", ""],
            "--to: must be comma-separated full revision ids",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "-x", "=north"],
            "-x: must be an argument of the form key=value",
        ),
        (["--database-url", URL, "--shadow-url", SHADOW, "-x", ""], "-x: must be an argument of the form key=value"),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "-x", f"{URL}"],
            "-x: must be an argument of the form key=value",
        ),
        (["--database-url", URL, "--shadow-url", SHADOW, "--section"], "--section: expected one argument"),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--to", "a2,"],
            "--to: must be comma-separated full revision ids",
        ),
        (["--database-url", URL, "--shadow-url", SHADOW, "--to", "a2,heads"], "--to: head, heads and base cannot"),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--to", "a b "],
            "--to: must be comma-separated full revision ids",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--to", "a" * 256],
            "--to: must be comma-separated full revision ids",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--search-path", "a;b"],
            "--search-path: must be comma-separated schema names",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--search-path", "a,,b"],
            "--search-path: must be comma-separated schema names",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--version-table", "a.b"],
            "--version-table: must be a plain name",
        ),
        (
            ["--database-url", URL, "--shadow-url", SHADOW, "--baseline", "a@b"],
            "--baseline: must be comma-separated full revision ids",
        ),
        (["--database-url", URL, "--shadow-url", SHADOW, "--format", "xml"], "--format"),
        (["--database-url", URL, "--shadow-url", SHADOW, "--fail-on", "info"], "--fail-on"),
        (["--database-url", URL, "--shadow-url", SHADOW, "--config", "no.ini"], "--config: the file"),
        (["--database-url", URL, "--shadow-url", SHADOW, "--config", URL], "not a URL (not shown)"),
        (["--database-url", URL, "--shadow-url", SHADOW, "--unknown"], "--unknown"),
        ([URL], "not shown"),
        (["--format", URL], "not shown"),
        (["--database-url"], "--database-url"),
        (["--database-url", URL, "--evidence", "live"], "--evidence"),
        (["--database-url", URL, "--evidence", "static", "--shadow-url", SHADOW], "omit one of the two"),
        (["--database-url", URL, "--evidence", "static", "--baseline", "a"], "--baseline: the schema at a revision is"),
        (["--database-url", URL, "--evidence", "static", "--rule", "fk-index"], "--rule: must be a rule's id and its"),
        (
            ["--database-url", URL, "--evidence", "static", "--rule", "=off"],
            "--rule: --rule must name rules of docs/rules",
        ),
        (["--database-url", URL, "--evidence", "static", "--rule", "fk=off"], "--rule: --rule must name rules"),
        (
            ["--database-url", URL, "--evidence", "static", "--rule", "jsonb=info"],
            "--rule: must be one of error, warning, off",
        ),
        (
            ["--database-url", URL, "--evidence", "static", "--rule", "jsonb="],
            "--rule: must be one of error, warning, off",
        ),
        (
            ["--database-url", URL, "--evidence", "static", "--rule", f"jsonb={URL}"],
            "--rule: must be one of error, warning",
        ),
        (
            ["--database-url", URL, "--evidence", "static", "--rule", "jsonb=off", "--rule", "jsonb=error"],
            "--rule: a rule is given twice",
        ),
        *(
            (
                ["--database-url", URL, "--evidence", "static", "--rule", f"{rule}={severity}"],
                "edited-revision are always errors; remove them from --rule",
            )
            for rule in NEVER_LOWERED
            for severity in ("warning", "off")
        ),
    ],
)
def test_refuses_with_a_sentence(
    project: str, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        _parse(project, *options)
    said = capsys.readouterr()
    assert caught.value.code == 2
    assert words in said.err
    assert "hunter" not in said.err + said.out
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_needs_no_shadow_when_the_evidence_is_static(project: str) -> None:
    for word in ("static", "Static"):
        found = _parse(project, "--evidence", word, environ={DATABASE_VARIABLE: URL, SHADOW_VARIABLE: SHADOW})
        assert (found.evidence, found.shadow_url) == ("static", "")
    assert _parse(project, "--evidence", "static", "--baseline", "", "--database-url", URL).baseline == ()


@pytest.mark.parametrize("arguments", [[], ["push"], [URL], ["plan"], ["plan", "--project", "/nowhere"]])
def test_refuses_what_is_no_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments, {})
    said = capsys.readouterr()
    assert caught.value.code == 2
    assert "hunter" not in said.err + said.out


def test_needs_no_cluster_library_to_plan() -> None:
    code = (
        "import sys, alembic_operator.cli.__main__; print(sorted({'kopf', 'kubernetes', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("password", ["hunter2", "p@ss:/w?%rd", "it's \\ a", " "])
def test_puts_no_password_into_arguments_or_words(password: str) -> None:
    from urllib.parse import quote

    server = Server.named("--database-url", f"postgresql://u:{quote(password, safe='')}@h:5433/d?sslmode=require")
    assert server.environment["PGPASSWORD"] == password
    if password.strip():
        assert password not in " ".join(server.psql()) + repr(server) + server.address
        assert password not in server.words(f"psql: error: FATAL: nobody {password}")


def test_drops_the_callers_libpq_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGSERVICE", "other")
    found = Server.named("--database-url", URL, role="app owner").environment
    assert "PGHOST" not in found
    assert "PGSERVICE" not in found
    assert "-c role=app\\ owner" in found["PGOPTIONS"]


@pytest.mark.parametrize("url", ["", "nonsense hunter2", "mysql://u:hunter2@h/d", "postgresql://u:hunter2@h:x/d"])
def test_tells_no_part_of_a_url_that_is_wrong(url: str) -> None:
    with pytest.raises(CannotPlan) as caught:
        Server.named("--shadow-url", url)
    assert "--shadow-url" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgresql://u:p%40ss%3A%2Fw%3F%25rd@h:5433/d%2Fx?sslmode=require&connect_timeout=3",
        "postgresql://u@[::1]:5433,other/d",
        "postgres://%C3%A9:x@a,b:2/d",
    ],
)
def test_names_the_scratch_database_as_the_shadow_was_named(url: str) -> None:
    target = Server.named("--shadow-url", url).at("scratch'x").target
    assert parse_uri(url_of(target), "", "") == target
