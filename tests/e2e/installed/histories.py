"""The migration histories of the fault tests, each in a folder of its own in one image: `spec.migrations.path` chooses.

`GATE` is an advisory lock that a test holds to stop a revision at a known line, inside its transaction.
"""

from __future__ import annotations

from pathlib import Path

from tests.component.runner.project import Project

from . import surprises

GATE = 4711
FOLDER = "/histories"

_GREED = """
taken = bytearray(b"x" * 2**28)
op.execute(f"INSERT INTO orders VALUES ({len(taken)})")
"""

_ENORMOUS = """
import random
words = random.Random(4)
for number in range(640):
    op.execute(f"COMMENT ON TABLE orders IS '{words.randbytes(4096).hex()}'")
"""


def write(folder: Path) -> None:
    """Write every history into `folder`."""
    _plain(Project(folder / "plain"))
    _failing(Project(folder / "failing"))
    _repaired(Project(folder / "repaired"))
    _gated(Project(folder / "gated"))
    _altering(Project(folder / "altering"))
    _greedy(Project(folder / "greedy"))
    _two_heads(Project(folder / "two-heads"))
    _reviewed(Project(folder / "reviewed"))
    _enormous(Project(folder / "enormous"))
    surprises.write(folder)


def _reviewed(project: Project) -> None:
    """A safe table, a safe column, a dangerous step, and a safe one."""
    times = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"
    project.sql("a1", f"CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), note text, {times})")
    project.sql("a2", "ALTER TABLE orders ADD COLUMN region text")
    project.sql("a3", "ALTER TABLE orders DROP COLUMN note")
    project.sql("a4", "ALTER TABLE orders ADD COLUMN country text")


def _enormous(project: Project) -> None:
    """5 MiB of statements that hardly compress."""
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.add("a2", _ENORMOUS)


def _plain(project: Project) -> None:
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.sql("a2", "ALTER TABLE orders ADD COLUMN note text", "INSERT INTO orders VALUES (1, 'first')")
    project.sql("a3", "CREATE INDEX orders_note ON orders (note)")


def _failing(project: Project) -> None:
    """Its second revision sends one good statement and one bad."""
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.sql("a2", "INSERT INTO orders VALUES (1)", "INSERT INTO order_lines VALUES (1)")


def _repaired(project: Project) -> None:
    """The same with its second revision corrected, as a new image would have it."""
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.sql("a2", "INSERT INTO orders VALUES (1)", "CREATE TABLE order_lines (id int PRIMARY KEY)")


def _gated(project: Project) -> None:
    """Its second revision writes a row, waits for the gate, and writes another."""
    project.sql("a1", "CREATE TABLE ran (revision text)")
    wait = f"SELECT pg_advisory_xact_lock_shared({GATE})"
    project.sql("a2", "INSERT INTO ran VALUES ('a2 before')", wait, "INSERT INTO ran VALUES ('a2 after')")
    project.sql("a3", "INSERT INTO ran VALUES ('a3')")


def _altering(project: Project) -> None:
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.sql("a2", "ALTER TABLE orders ADD COLUMN note text")


def _greedy(project: Project) -> None:
    """Its second revision takes 256 MiB."""
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.add("a2", _GREED)


def _two_heads(project: Project) -> None:
    project.sql("a1", "CREATE TABLE orders (id int PRIMARY KEY)")
    project.add("b1", "op.execute('CREATE TABLE left_hand ()')", down="a1")
    project.add("b2", "op.execute('CREATE TABLE right_hand ()')", down="a1")
