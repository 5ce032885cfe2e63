"""`alembic-operator plan` against real servers: the plan of the cluster, without a cluster; nothing left behind."""

from __future__ import annotations

import os
import pkgutil
import signal
from pathlib import Path

import psycopg
import pytest
from tests.cluster.postgres import Postgres, binaries
from tests.component.cli.conftest import NO_SECRETS, Tool, end
from tests.component.runner.databases import USER
from tests.component.runner.project import Project
from tests.component.warm import communicate

from alembic_operator.contract.bundle import bundle_digest

FIRST = 'op.execute("CREATE TABLE orders (id int PRIMARY KEY, total int)")'
SECOND = 'op.execute("ALTER TABLE orders ADD COLUMN region text")'


def _two(project: Project) -> Project:
    project.add("r1", FIRST, downgrade='op.execute("DROP TABLE orders")')
    project.add("r2", SECOND, downgrade='op.execute("ALTER TABLE orders DROP COLUMN region")')
    return project


@pytest.mark.parametrize("version", [18])
def test_prints_the_plan_when_a_revision_is_pending(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.alembic(project, "upgrade", "r1")
    tool.database.execute("INSERT INTO orders VALUES (1, 2)")
    before = tool.database.all("SELECT xmin, * FROM orders")
    done = tool(project, "--format", "json")
    assert done.code == 0, done.err
    assert (done.plan["from_revisions"], done.plan["to_revisions"]) == (["r1"], ["r2"])
    assert done.statements == ["ALTER TABLE orders ADD COLUMN region text"]
    locks = done.plan["steps"][0]["statements"][0]["locks"]
    assert locks == [{"relation": "public.orders", "mode": "AccessExclusiveLock"}]
    assert tool.database.heads() == ["r1"]
    assert tool.database.all("SELECT xmin, * FROM orders") == before
    assert tool.left() == []


def test_plans_when_the_target_has_an_encoding_that_is_not_the_shadows(tool: Tool, project: Project) -> None:
    name = f"{tool.database.name}_latin"
    with psycopg.connect(tool.database.server.uri(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            done = tool(_two(project), "--format", "json", "--to", "r1", database=tool.database.server.uri(name))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert done.code == 0, done.err
    assert tool.left() == []


def test_prints_sql_and_evidence_for_people(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.alembic(project, "upgrade", "r1")
    done = tool(project)
    assert done.code == 0, done.err
    assert done.out.startswith("Upgrade from r1 to r2: 1 revision, 0 errors, ")
    assert "-- 1: AccessExclusiveLock on public.orders" in done.out
    assert "ALTER TABLE orders ADD COLUMN region text;" in done.out


def test_plans_from_base_when_the_database_is_empty(tool: Tool, project: Project) -> None:
    done = tool(_two(project), "--format", "json", "--to", "r1")
    assert done.code == 0, done.err
    assert done.statements == ["CREATE TABLE orders (id int PRIMARY KEY, total int)"]


def test_bundle_digest_is_that_of_the_files_when_a_waiver_is_among_them(tool: Tool, project: Project) -> None:
    root = _two(project).directory
    files = root / "migrations", [root / "migrations/versions"], root, root / "alembic.ini"
    without = bundle_digest(*files)
    (project.versions / "r2.review.yaml").write_text(WAIVER)
    expected = bundle_digest(*files)
    assert expected != without
    assert tool(project, "--format", "json").json["bundleDigest"] == expected


def test_says_so_when_there_is_nothing_to_do(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.alembic(project)
    done = tool(project)
    assert (done.code, done.out) == (
        0,
        "Nothing to do: the database is at r2.\nThe schema has everything that the history creates up to r2, "
        "unchanged.\n",
    )
    assert tool(project, "--to", "r1").out.startswith("Nothing to do: the database is at r2, beyond r1.")


def test_plans_the_way_back_when_it_is_allowed(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.alembic(project)
    done = tool(project, "--to", "r1", "--allow-downgrade", "--format", "json")
    assert done.json["plan"]["direction"] == "Downgrade", done.err
    assert done.statements == ["ALTER TABLE orders DROP COLUMN region"]


def test_makes_the_targets_roles_and_drops_them_again(tool: Tool, project: Project) -> None:
    tool.database.alembic(_two(project), "upgrade", "r1")
    tool.database.execute(f'CREATE POLICY mine ON orders TO "{USER}" USING (true)')
    project.add("r3", f"""op.execute('GRANT SELECT ON orders TO "{USER}"')""")
    done = tool(project, "--format", "json")
    assert done.code in (0, 1), done.err
    assert tool.left() == []


def test_refuses_when_the_shadow_has_another_version(tool: Tool, project: Project, scratch_servers: object) -> None:
    other = scratch_servers(16)  # type: ignore[operator]
    done = tool(_two(project), shadow=other.uri())
    assert done.code == 2
    assert "the target is PostgreSQL 15, and --shadow-url leads to PostgreSQL 16" in done.err


@pytest.mark.parametrize(
    ("option", "url", "words"),
    [
        ("shadow", "mysql://u:p@ss:/w?%rd@h/d", "must be a URI that begins with postgresql:// or postgres://"),
        ("database", "postgresql://postgres:wrong@{}/postgres", 'password authentication failed for user "postgres"'),
        ("shadow", "postgresql://postgres:super%20secret@{}/nowhere", 'database "nowhere" does not exist'),
        ("database", "postgresql://postgres:super%20secret@127.0.0.1:1/postgres", "Connection refused"),
    ],
)
def test_tells_why_when_a_server_cannot_be_reached(
    tool: Tool, project: Project, option: str, url: str, words: str
) -> None:
    server = tool.database.server if option == "database" else tool.scratch
    done = tool(_two(project), **{option: url.format(f"{server.host}:{server.port}")})
    assert done.code == 2
    assert words in done.err
    assert f"--{option}-url" in done.err
    assert tool.left() == []


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda p: p.add("r3", "1 / 0"), [], "ZeroDivisionError"),
        (lambda p: p.add("r3", "pass", down="r1"), [], "MultipleHeads"),
        (lambda p: None, ["--to", "r9"], 'RevisionNotFound: Looking for --to "r9"'),
    ],
)
def test_tells_why_when_no_plan_can_be_made(
    tool: Tool, project: Project, change: object, options: list[str], words: str
) -> None:
    change(_two(project))  # type: ignore[operator]
    done = tool(project, *options)
    assert done.code == 2
    assert words in done.err
    assert "spec." not in done.err
    assert tool.left() == []
    assert tool.database.all("SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_tells_what_to_grant_when_a_table_cannot_be_read(tool: Tool, project: Project) -> None:
    tool.database.alembic(_two(project), "upgrade", "r1")
    server: Postgres = tool.database.server
    server.execute("CREATE TABLE closed (id int)", database=tool.database.name)
    done = tool(project)
    assert done.code == 2
    assert "permission denied" in done.err
    assert "GRANT pg_read_all_data" in done.err


def test_tells_what_to_install_when_there_is_no_psql(tool: Tool, project: Project, tmp_path: Path) -> None:
    tool.env["PATH"] = str(tmp_path)
    done = tool(_two(project))
    assert done.code == 2
    assert "psql is not on the PATH" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_leaves_nothing_behind_when_it_is_interrupted(tool: Tool, project: Project, number: signal.Signals) -> None:
    mark = project.directory / "started"
    project.add("r1", f'open({str(mark)!r}, "w").close(); op.execute("SELECT pg_sleep(60)")')
    process = tool.start(project)
    while not mark.exists():
        assert process.poll() is None, communicate(process, 60)
    done = end(process, number)
    assert done.code == 130
    assert "the scratch database was dropped" in done.err
    assert tool.left() == []


def test_shows_no_password_to_the_list_of_processes(tool: Tool, project: Project, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    for name in ("psql", "pg_dump"):
        real = binaries(tool.database.server.version) / name
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{seen}\nexec {real} "$@"\n')
        (tmp_path / name).chmod(0o755)
    tool.env["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    project.add(
        "r1",
        f"import os; open({str(seen)!r}, 'ab').write(b'child ' + open('/proc/self/cmdline', 'rb').read() + "
        "open(f'/proc/{os.getppid()}/cmdline', 'rb').read())",
    )
    done = tool(project)
    assert done.code in (0, 1), done.err
    told = seen.read_bytes()
    assert all(word in told for word in (b"psql", b"pg_dump", b"child", b"alembic_operator.cli"))
    assert not any(secret.encode() in told for secret in NO_SECRETS)


def test_plans_for_a_database_that_a_resource_of_some_cluster_manages(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.alembic(project, "upgrade", "r1")
    ddl = pkgutil.get_data("alembic_operator.runner.database", "journal.sql")
    assert ddl is not None
    tool.database.execute(ddl.decode())
    tool.database.execute(
        "INSERT INTO alembic_operator.owner (history, cluster, namespace, name, uid)"
        " VALUES ('public.alembic_version', 'c-9', 'shop', 'db', 'uid-9')"
    )
    before = tool.database.all("SELECT xmin, * FROM alembic_operator.owner")
    done = tool(project, "--format", "json")
    assert done.code == 0, done.err
    assert done.statements == ["ALTER TABLE orders ADD COLUMN region text"]
    assert tool.database.all("SELECT xmin, * FROM alembic_operator.owner") == before


def test_adopts_a_database_without_a_version_row_when_a_baseline_is_given(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.execute("CREATE TABLE orders (id int PRIMARY KEY, total int)")
    refused = tool(project)
    assert refused.code == 2
    assert "BaselineRequired" in refused.err
    done = tool(project, "--baseline", "r1", "--format", "json")
    assert done.code in (0, 1), done.err
    assert (done.plan["direction"], done.plan["to_revisions"]) == ("Baseline", ["r1"])
    assert tool.database.all("SELECT to_regclass('alembic_version')") == [(None,)]
    assert tool.left() == []


def test_tells_what_differs_when_the_database_is_not_at_the_baseline(tool: Tool, project: Project) -> None:
    _two(project)
    tool.database.execute("CREATE TABLE orders (id int PRIMARY KEY, total bigint)")
    done = tool(project, "--baseline", "r1")
    assert done.code == 2
    assert "BaselineMismatch" in done.err
    assert "total" in done.err
    assert tool.left() == []


DROP = 'op.execute("ALTER TABLE orders DROP COLUMN total")'
WAIVER = """
- rule: destructive
  object: public.orders.total
  reason: nobody reads it any more
  ticket: SHOP-7
  expires: 2999-12-31
"""


def _dangerous(tool: Tool, project: Project) -> Project:
    project.add("r1", FIRST, downgrade='op.execute("DROP TABLE orders")')
    tool.database.alembic(project)
    project.add("r2", DROP, downgrade='op.execute("ALTER TABLE orders ADD COLUMN total int")')
    return project


def test_ends_with_1_when_a_finding_counts(tool: Tool, project: Project) -> None:
    done = tool(_dangerous(tool, project))
    assert done.code == 1, done.err
    assert "-- ERROR destructive public.orders.total: " in done.out
    assert "--   instead: " in done.out


def test_tells_findings_to_programs_when_none_counts(tool: Tool, project: Project) -> None:
    done = tool(_dangerous(tool, project), "--format", "json", "--fail-on", "never")
    assert done.code == 0, done.err
    found = [(one["rule"], one["severity"], one["revision"]) for one in done.json["findings"]]
    assert ("destructive", "error", "r2") in found


def test_counts_no_finding_that_is_waived(tool: Tool, project: Project) -> None:
    _dangerous(tool, project)
    (project.versions / "r2.review.yaml").write_text(WAIVER)
    done = tool(project)
    assert done.code == 0, done.out + done.err
    assert "--   waived until 2999-12-31: " in done.out


def test_counts_a_waiver_that_waives_nothing(tool: Tool, project: Project) -> None:
    tool.database.alembic(_two(project), "upgrade", "r1")
    (project.versions / "r2.review.yaml").write_text(WAIVER)
    done = tool(project)
    assert done.code == 1, done.err
    assert "waiver: " in done.out
