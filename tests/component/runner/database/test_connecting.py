"""Connecting: the Secret, the server, and what lies between."""

from __future__ import annotations

import pytest
from tests.cluster.pgbouncer import PgBouncer
from tests.component.runner.databases import PASSWORD, USER, Database
from tests.component.runner.harness import Runner, failed
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import RunKind
from alembic_operator.contract.result import Outcome

CONNECTING = 'Connecting to the database that Secret "db-app" names: '


def test_says_secret_not_found_when_there_is_no_key(project: Project, runner: Runner) -> None:
    assert failed(runner(project, {}), Reason.SECRET_NOT_FOUND) == (
        'Reading the connection from Secret "db-app": the Secret does not exist in the namespace, or has no keys. '
        'Create it with the key "uri" (a PostgreSQL URI), or with host, port, dbname, user, password.'
    )
    assert failed(runner(project, {"url": "x"}), Reason.SECRET_NOT_FOUND) == (
        'Reading the connection from Secret "db-app": it has no key "uri", and host, dbname or user is missing too. '
        "Its keys are url. Add the key, or set spec.database.secretRef.key to another one."
    )


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://shop:geheim%zz@127.0.0.1:1/shop",
        "host=127.0.0.1 password=geheim",
    ],
)
def test_shows_no_word_of_the_secret_when_it_is_malformed(project: Project, runner: Runner, uri: str) -> None:
    ended = runner(project, uri)
    message = failed(ended, Reason.INVALID_CONNECTION_SECRET)
    assert message.startswith('Reading the connection from Secret "db-app": ')
    assert message.endswith("Correct the Secret; the next run reads it again.")
    assert "geheim" not in ended.message + ended.stdout + ended.stderr
    assert "gehe" not in ended.message + ended.stdout + ended.stderr


def test_tells_connection_errors_apart_when_connecting_fails(
    database: Database, project: Project, runner: Runner
) -> None:
    server = database.server
    wrong = runner(project, server.uri(database.name, "shop", "geheim"))
    assert failed(wrong, Reason.AUTHENTICATION_FAILED) == (
        CONNECTING + "the server refused the user or the password; correct the Secret, or the role in the database."
    )
    assert "geheim" not in wrong.message + wrong.stdout + wrong.stderr
    missing = runner(project, server.uri("nowhere", "shop", "p@ss:/w?%rd"))
    assert failed(missing, Reason.DATABASE_NOT_FOUND) == (
        CONNECTING + "that database does not exist on the server; create it, or correct the name in the Secret."
    )
    nobody = runner(project, "postgresql://shop:geheim@127.0.0.1:1/shop")
    assert failed(nobody, Reason.DATABASE_UNREACHABLE) == (
        CONNECTING + "nothing listens on that host and port; start the server, or correct host and port in the Secret."
    )
    nowhere = runner(project, "postgresql://shop:geheim@no-such-host.invalid/shop")
    assert failed(nowhere, Reason.DATABASE_UNREACHABLE).startswith(
        CONNECTING + "the host's name could not be resolved;"
    )
    server.execute(f'ALTER DATABASE "{database.name}" CONNECTION LIMIT 0')
    full = runner(project, database.uri)
    assert failed(full, Reason.TOO_MANY_CONNECTIONS).startswith(
        CONNECTING + "the server, the database or the role has no"
    )
    assert full.result.current is None


def test_ignores_libpq_variables_when_the_pod_has_them(database: Database, project: Project, runner: Runner) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    env = {"PGHOST": "no-such-host.invalid", "PGOPTIONS": "-c search_path=nowhere", "PGSSLMODE": "verify-full"}
    assert runner(project, database.uri, env=env).result.outcome == Outcome.APPLIED


def test_says_read_only_when_the_database_takes_no_writes(database: Database, project: Project, runner: Runner) -> None:
    project.sql("r1", "SELECT 1")
    database.server.execute(f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = on')
    assert failed(runner(project, database.uri), Reason.TARGET_READ_ONLY) == (
        'Migrating the database that Secret "db-app" names: its sessions are read-only '
        "(default_transaction_read_only). Point the Secret at the primary, or make the database writable."
    )
    assert runner(project, database.uri, kind=RunKind.CHECK).result.outcome == Outcome.BEHIND


def test_refuses_when_a_pooler_in_transaction_mode_answers(
    database: Database, project: Project, runner: Runner
) -> None:
    with PgBouncer(database.server, {USER: PASSWORD}) as pooler:
        message = failed(runner(project, pooler.uri(database.name, USER, PASSWORD)), Reason.POOLER_UNSUPPORTED)
    assert message.startswith(
        'Connecting to the database that Secret "db-app" names: a connection pooler in transaction'
    )
