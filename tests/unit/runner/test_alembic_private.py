"""Private names of Alembic: what the runner does by them, on the Alembic that is installed here (the newest)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime import migration
from alembic.runtime.migration import HeadMaintainer, MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError

from alembic_operator.runner import alembic_private

ROOT = Path(__file__).parents[3]
REVISION = "revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = {labels!r}\n"


@pytest.fixture
def script(tmp_path: Path) -> ScriptDirectory:
    """A history a1 - b2, in two folders."""
    for folder, revision, down in (("one", "a1", None), ("two", "b2", "a1")):
        write(tmp_path / folder / f"{revision}.py", revision, down)
    return opened(tmp_path)


def write(path: Path, revision: str, down: str | None, labels: tuple[str, ...] = ()) -> None:
    path.parent.mkdir(exist_ok=True)
    body = "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
    path.write_text(REVISION.format(revision=revision, down=down, labels=labels) + body)


def opened(folder: Path) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("version_locations", f"{folder}/one {folder}/two")
    config.set_main_option("path_separator", "space")
    return ScriptDirectory.from_config(config)


def context() -> MigrationContext:
    return MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": io.StringIO()})


def test_locations_are_read_again_when_they_were_forgotten(script: ScriptDirectory, tmp_path: Path) -> None:
    assert alembic_private.version_locations(script) == [tmp_path / "one", tmp_path / "two"]
    script.version_locations = [str(tmp_path / "two")]
    assert alembic_private.version_locations(script) == [tmp_path / "one", tmp_path / "two"]
    alembic_private.forget_version_locations(script)
    assert alembic_private.version_locations(script) == [tmp_path / "two"]


def test_steps_lead_from_the_rows_to_the_target(script: ScriptDirectory) -> None:
    assert {one.revision for one in alembic_private.load_revisions(script)} == {"a1", "b2"}
    alembic_private.build_graph(script)
    steps = [alembic_private.upgrade_steps(script, ["b2"], rows) for rows in ([], ["a1"])]
    assert [[step.revision.revision for step in each] for each in steps] == [["a1", "b2"], ["b2"]]


def test_graph_is_refused_when_two_revisions_have_one_label(tmp_path: Path) -> None:
    write(tmp_path / "one" / "a1.py", "a1", None, ("shop",))
    write(tmp_path / "two" / "b1.py", "b1", None, ("shop",))
    with pytest.raises(RevisionError, match="shop"):
        alembic_private.build_graph(opened(tmp_path))


def test_operations_and_steps_are_those_that_were_set() -> None:
    one, sent = context(), list[Any]()
    alembic_private.execute_by(one, lambda construct, *_, **__: sent.append(str(construct)))
    Operations(one).execute("SELECT 1")
    assert sent == ["SELECT 1"]
    alembic_private.set_steps(one, lambda heads, context: iter(()))
    assert list(alembic_private.steps_of(one)((), one)) == []
    assert alembic_private.version_column(one).type.length == 32


def test_transaction_is_alembics_own_when_the_revision_ended_the_one_before() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        one = MigrationContext.configure(connection, opts={"transactional_ddl": True})
        with one.begin_transaction():
            connection.get_transaction().rollback()  # type: ignore[union-attr]
            alembic_private.adopt_transaction(one)
            assert connection.in_transaction()
            connection.execute(sa.text("CREATE TABLE kept (id int)"))
        assert sa.inspect(engine).has_table("kept")


def test_rows_move_as_they_are_told_and_the_class_is_given_back() -> None:
    told: list[tuple[str, ...]] = []

    class Moves:
        def insert(self, version: str) -> None:
            told.append(("insert", version))

        def delete(self, version: str) -> None:
            told.append(("delete", version))

        def update(self, from_: str, to_: str) -> None:
            told.append(("update", from_, to_))

    step: Any = SimpleNamespace(revision=SimpleNamespace(revision="m"), is_upgrade=True)
    with alembic_private.version_rows_by(lambda rows, revision, upgrade: ["c1", revision], Moves()):
        maintainer = migration.HeadMaintainer(context(), ["a1", "b1", "c1"])
        maintainer.update_to_step(step)
    assert (told, maintainer.heads) == ([("update", "b1", "m"), ("delete", "a1")], {"c1", "m"})
    assert migration.HeadMaintainer is HeadMaintainer


def test_runner_starts_without_alembic_to_say_that_it_is_missing() -> None:
    code = "import sys; sys.modules.update(alembic=None, sqlalchemy=None); import alembic_operator.runner.main"
    environment = {**os.environ, "PYTHONPATH": "operator"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
