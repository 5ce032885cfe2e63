"""What code of a plan run may reach beside the target and the shadow: nothing, unless the spec says so."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest
from tests.component.runner.databases import Database
from tests.component.runner.harness import failed
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.result import Outcome

TABLE = "op.execute('CREATE TABLE item (id int)')\n"
PASSED_OVER = "try:\n    {}\nexcept OSError:\n    pass\n"
# Ways to the network, by the address that they are given.
WAYS = {
    "a connection": "import socket; socket.create_connection({address!r}, 5)",
    "HTTP by a name": "import urllib.request; urllib.request.urlopen('http://metrics.example:{port}/')",
    "a name looked up": "import socket; socket.gethostbyaddr('metrics.example')",
    "a datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', {address!r})",
    "asyncio": "import asyncio; asyncio.run(asyncio.open_connection(*{address!r}))",
    "a thread": "import threading, socket; one = threading.Thread(target=socket.create_connection, args=[{address!r}]);"
    " one.start(); one.join()",
}

# A program that somebody's revision starts, and ways to start it.
CLIENT = """#!{python}
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE extra (id int)")
"""
PROGRAMS = {
    "a list": "import subprocess; subprocess.run([{program!r}])",
    "a shell": "import subprocess; subprocess.run({program!r}, shell=True)",
    "os.system": "import os; os.system({program!r})",
    "os.posix_spawn": "import os; os.posix_spawn({program!r}, [{program!r}], os.environ)",
    "in its own place": "import os; os.execv({program!r}, [{program!r}])",
    "asyncio": "import asyncio; asyncio.run(asyncio.create_subprocess_exec({program!r}))",
}


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server that somebody might tell something."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        yield server


def _called(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_step_says_what_its_code_tried_to_reach_and_nothing_was_reached(
    project: Project, planner: Planner, listening: socket.socket, way: str
) -> None:
    address = listening.getsockname()
    code = way.format(address=address, port=address[1])
    project.add("r1", TABLE + PASSED_OVER.format(code))

    (step,) = read_plan(planner.run(project)).steps

    host, port = ("metrics.example" if "metrics" in way else "127.0.0.1"), f":{address[1]}"
    where = host if "gethostbyaddr" in way else host + port
    assert step.escapes == [f"After statement 1 it tries to reach {where}, which a plan run does not allow."]
    assert not _called(listening)


@pytest.mark.parametrize("network", ["Closed", "Open"])
@pytest.mark.parametrize("way", PROGRAMS.values(), ids=PROGRAMS)
def test_target_is_left_alone_when_a_revision_starts_a_program_that_has_its_url(
    project: Project, planner: Planner, way: str, network: str
) -> None:
    program = planner.directory / "client"
    program.write_text(CLIENT.format(python=sys.executable))
    program.chmod(0o755)
    project.add("r1", TABLE + PASSED_OVER.format(way.format(program=str(program))))

    (step,) = read_plan(planner.run(project, network=network)).steps

    name = "sh (client)" if "system" in way or "shell" in way else "client"
    assert step.escapes == [f"After statement 1 it tries to start {name}, which a plan run does not allow."]
    assert planner.database.all("SELECT to_regclass('extra')::text") == [(None,)]


def test_message_says_how_when_a_revision_fails_without_its_program(project: Project, planner: Planner) -> None:
    project.add("r1", TABLE + "import subprocess; subprocess.run(['psql', '-f', 'rows.sql'], check=True)")
    message = failed(planner.run(project, network="Open"), Reason.MIGRATION_FAILED)
    assert "It tried to start psql, which a plan run does not allow" in message
    assert "Do it in the revision through op.get_bind()" in message
    assert "spec.review.network" not in message


def test_env_py_may_ask_about_the_machine_when_the_network_is_closed(project: Project, planner: Planner) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    env = project.directory / "migrations" / "env.py"
    asked = "import platform, subprocess\nplatform.uname().processor\nsubprocess.run(['uname'])\n"
    env.write_text(asked + env.read_text())
    assert planner.run(project, environment="Project").result.outcome == Outcome.PLANNED


def test_env_py_starts_a_program_when_the_network_is_open_alone(project: Project, planner: Planner) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    env = project.directory / "migrations" / "env.py"
    env.write_text("import subprocess\nsubprocess.run(['env'], check=True)\n" + env.read_text())
    message = failed(planner.run(project, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "It tried to start env, which a plan run does not allow" in message
    assert "set spec.review.network: Open" in message
    assert planner.run(project, environment="Project", network="Open").result.outcome == Outcome.PLANNED


def test_message_names_what_was_tried_and_the_field_when_a_revision_fails_without_it(
    project: Project, planner: Planner
) -> None:
    project.add("r1", TABLE + "import urllib.request; urllib.request.urlopen('https://bucket.example/rows')")
    message = failed(planner.run(project), Reason.MIGRATION_FAILED)
    assert "It tried to reach bucket.example:443, which a plan run does not allow" in message
    assert "set spec.review.network: Open" in message


def test_message_names_the_field_when_env_py_cannot_be_run_without_the_network(
    project: Project, planner: Planner
) -> None:
    project.sql("r1", "CREATE TABLE item (id int)")
    env = project.directory / "migrations" / "env.py"
    env.write_text("import socket; socket.create_connection(('vault.example', 8200))\n" + env.read_text())
    message = failed(planner.run(project, environment="Project"), Reason.ENVIRONMENT_FAILED)
    assert "It tried to reach vault.example:8200, which a plan run does not allow" in message
    assert "set spec.review.network: Open" in message


def test_warning_tells_what_code_outside_of_the_revisions_tried_to_reach(project: Project, planner: Planner) -> None:
    path = project.add("r1", TABLE)
    code = PASSED_OVER.format("import socket; socket.create_connection(('flags.example', 443))")
    path.write_text(path.read_text().replace("from alembic", code + "from alembic", 1))
    result = planner.run(project).result
    assert any("tried to reach flags.example:443" in warning for warning in result.warnings)
    assert result.outcome == Outcome.PLANNED


def test_code_reaches_what_it_wants_when_the_network_is_open_and_when_it_is_applied(
    database: Database, project: Project, planner: Planner, listening: socket.socket
) -> None:
    project.add("r1", f"{TABLE}import socket\nsocket.create_connection({listening.getsockname()!r}, 5).close()")
    (step,) = read_plan(planner.run(project, network="Open")).steps
    assert step.escapes == []
    assert _called(listening)
    assert planner.runner(project, database.uri).result.outcome == Outcome.APPLIED
    assert _called(listening)
