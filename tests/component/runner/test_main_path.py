"""Apply and Check from an empty database on, over the supported servers and libraries."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.component.shadow.measure import make_runner

from alembic_operator.contract import job_env
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

from .databases import Database
from .harness import OWNER, Runner
from .interpreters import oldest_python
from .project import Project

pytestmark = pytest.mark.cold

COMBINATIONS = [
    (15, "newest-psycopg"),
    (15, "oldest-psycopg"),
    (16, "newest-psycopg2"),
    (18, "oldest-psycopg2"),
]


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Interpreter and the scheme of the URI, which picks the driver."""
    age, driver = request.param.split("-")
    yield (sys.executable if age == "newest" else oldest_python(driver)), f"postgresql+{driver}://"


def _three(project: Project) -> None:
    project.sql("r1", "CREATE TABLE item (id int PRIMARY KEY, name text)", "INSERT INTO item VALUES (1, 'a')")
    project.sql("r2", "ALTER TABLE item ADD COLUMN price numeric")
    project.add(
        "r3",
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY ix_item_name ON item (name)")
        """,
    )


@pytest.mark.parametrize(
    ("version", "library"), COMBINATIONS, indirect=["library"], ids=[f"postgresql-{v}-{lib}" for v, lib in COMBINATIONS]
)
def test_applies_journals_and_checks_when_the_database_is_empty(
    database: Database, project: Project, runner: Runner, library: tuple[str, str]
) -> None:
    runner.python, scheme = library
    uri = database.uri.replace("postgresql://", scheme)
    _three(project)

    before = runner(project, uri, kind=RunKind.CHECK).result
    assert (before.outcome, before.pending, before.current) == (Outcome.BEHIND, 3, [])
    assert database.all("SELECT 1 FROM pg_namespace WHERE nspname = 'alembic_operator'") == []  # a check writes nothing

    ended = runner(project, uri, job_uid="job-a")
    result = ended.result
    assert (ended.exit_code, result.outcome, result.applied_count) == (0, Outcome.APPLIED, 3), ended.message
    assert [(one.revision, one.statements) for one in result.applied] == [("r1", 2), ("r2", 1), ("r3", 1)]
    assert (result.before, result.current, result.target_revisions, result.pending) == ([], ["r3"], ["r3"], 0)
    assert result.database is not None
    assert result.database.engine == "PostgreSQL"
    assert result.warnings == []
    assert database.heads() == ["r3"]
    assert database.journal() == [("r1", "done"), ("r2", "done"), ("r3", "done")]
    assert database.all("SELECT DISTINCT job_uid, image FROM alembic_operator.revision_journal") == [
        ("job-a", "registry.example/shop@sha256:" + "0" * 64)
    ]
    assert database.all("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_item_name'::regclass") == [(True,)]

    after = runner(project, uri, kind=RunKind.CHECK).result
    assert (after.outcome, after.current, after.database) == (Outcome.UP_TO_DATE, ["r3"], result.database)


def test_claims_the_database_and_hashes_its_records_when_it_applies(
    database: Database, project: Project, runner: Runner
) -> None:
    _three(project)
    ended = runner(project, database.uri, revision="r2")
    assert ended.result.current == ["r2"]
    assert database.all("SELECT history, cluster, namespace, name, uid FROM alembic_operator.owner") == [
        ("public.alembic_version", OWNER.cluster, OWNER.namespace, OWNER.name, OWNER.uid)
    ]
    texts = [line for line in ended.stdout.splitlines() if line.startswith(job_env.RECORD_PREFIX)]
    records = "".join(text[len(job_env.RECORD_PREFIX) :] + "\n" for text in texts)
    events = [json.loads(text[len(job_env.RECORD_PREFIX) :])["event"] for text in texts]
    assert events == ["started", "session", "assessed", "applied", "applied"]
    assert ended.result.records == len(texts)
    assert ended.result.records_sha256 == hashlib.sha256(records.encode()).hexdigest()
    assert ended.stdout.splitlines()[-1] == "alembic-operator: Applied 2 revisions; the database is at r2."


def test_records_stand_on_lines_of_their_own_when_a_revision_prints_without_line_end(
    database: Database, project: Project, runner: Runner
) -> None:
    project.add("r1", 'print("hello", end="")')
    ended = runner(project, database.uri)
    assert "\nhello\n@alembic-operator " in ended.stdout
    assert len(ended.records) == ended.result.records


def test_applies_when_the_secret_has_parts_and_the_migrations_come_from_a_configmap(
    database: Database, project: Project, runner: Runner, tmp_path: Path
) -> None:
    _three(project)
    # As the kubelet mounts a ConfigMap: links to links.
    data = tmp_path / "mounted" / "..2026_11_23"
    project.versions.rename(tmp_path / "files")
    data.parent.mkdir()
    (tmp_path / "files").rename(data)
    (data.parent / "..data").symlink_to(data.name)
    for path in data.iterdir():
        (data.parent / path.name).symlink_to(Path("..data") / path.name)
    parts = {
        "host": database.server.host,
        "port": f"{database.server.port}\n",
        "dbname": database.name,
        "username": "shop",
        "password": "p@ss:/w?%rd\n",
    }
    ended = runner(
        None,
        parts,
        config_file="",
        mounts={"MIGRATIONS_DIRECTORY": data.parent},
    )
    assert ended.result.outcome == Outcome.APPLIED, ended.message
    assert database.heads() == ["r3"]


def test_imports_the_application_and_not_its_shadow_of_the_standard_library_when_they_share_a_directory(
    database: Database, project: Project, runner: Runner
) -> None:
    (project.directory / "logging.py").write_text("raise SystemExit('the shadow was imported')")
    (project.directory / "shop.py").write_text("TABLE = 'goods'")
    path = project.add("r1", "from shop import TABLE\nop.create_table(TABLE, sa.Column('id', sa.Integer))")
    assert "shop" in path.read_text()
    shadowed = subprocess.run(
        [sys.executable, "-c", "import logging"], cwd=project.directory, check=False, capture_output=True, text=True
    )
    assert "the shadow was imported" in shadowed.stderr
    ended = runner(project, database.uri)
    assert ended.result.outcome == Outcome.APPLIED, ended.message + ended.stderr
    assert database.all("SELECT to_regclass('goods') IS NOT NULL") == [(True,)]


def test_uses_the_given_version_table_and_role_when_the_request_names_them(
    database: Database, project: Project, runner: Runner
) -> None:
    database.server.execute("CREATE SCHEMA ops AUTHORIZATION shop", database=database.name)
    database.server.execute("DROP ROLE IF EXISTS shop_owner")
    database.server.execute("CREATE ROLE shop_owner NOLOGIN")
    database.server.execute("GRANT shop_owner TO shop")
    database.server.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO shop_owner')
    database.server.execute("GRANT CREATE, USAGE ON SCHEMA public, ops TO shop_owner", database=database.name)
    try:
        project.sql("r1", "CREATE TABLE item (id int)")
        ended = runner(project, database.uri, role="shop_owner", version_table="ver", version_table_schema="ops")
        assert ended.result.outcome == Outcome.APPLIED, ended.message
        assert database.server.connect(database.name).execute("SELECT version_num FROM ops.ver").fetchall() == [("r1",)]
        owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'item'"
        assert database.all(owner) == [("shop_owner",)]
    finally:
        database.server.drop_database(database.name)
        database.server.execute("DROP ROLE shop_owner")
        database.server.create_database(database.name)


def test_each_module_of_the_zipapp_is_compiled_once(database: Database, project: Project, tmp_path: Path) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    counting = (
        "import atexit, collections, sys\n"
        "compiled = collections.Counter()\n"
        "def heard(event, arguments):\n"
        "    if event == 'compile' and '.pyz/alembic_operator/runner/' in str(arguments[1]):\n"
        "        compiled[arguments[1]] += 1\n"
        "sys.addaudithook(heard)\n"
        "atexit.register(lambda: print('compiled', len(compiled), 'times', max(compiled.values())))\n"
    )
    ended = make_runner(tmp_path)(project, database.uri, more=counting)
    (told,) = [line.split() for line in ended.stdout.splitlines() if line.startswith("compiled ")]
    assert (int(told[1]) > 60, told[3]) == (True, "1")
