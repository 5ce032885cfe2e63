"""Every private name of Alembic that the runner uses, and why there is no public one that would do.

The names are the same from Alembic 1.13.0 to 1.20, the oldest and the newest that the tests run with
(tests/component/runner/environment/test_oldest.py, tests/unit/runner/test_alembic_private.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Protocol

from alembic.runtime import migration
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import Script, ScriptDirectory

Steps = Callable[[Any, MigrationContext], Iterator[RevisionStep]]


class RowMoves(Protocol):
    """What is to be done to the version rows in one step."""

    def insert(self, version: str) -> None:
        """A new head."""

    def delete(self, version: str) -> None:
        """A head that went into another one."""

    def update(self, from_: str, to_: str) -> None:
        """A head that moves on."""


# ScriptDirectory


def version_locations(script: ScriptDirectory) -> list[Path]:
    """The directories with revision files, as the configuration names them; the public attribute is unresolved."""
    return [Path(str(one)) for one in script._version_locations]


def forget_version_locations(script: ScriptDirectory) -> None:
    """Have them found again when they are next asked for: env.py may name others."""
    vars(script).pop("_version_locations", None)


def load_revisions(script: ScriptDirectory) -> list[Script]:
    """Import every revision file; `walk_revisions` would warn, and fail at the first fault of the graph."""
    return list(script._load_revisions())


def build_graph(script: ScriptDirectory) -> None:
    """Have Alembic build its own graph of the revisions, which it does when it is first asked for it.

    Raises:
        alembic.script.revision.RevisionError: what Alembic has against it.
    """
    script.revision_map._revision_map  # noqa: B018


def upgrade_steps(script: ScriptDirectory, targets: Sequence[str], rows: Sequence[str]) -> list[RevisionStep]:
    """The steps of `alembic upgrade`: the command itself takes one target and runs them at once."""
    return list(script._upgrade_revs(tuple(targets), tuple(rows)))  # type: ignore[arg-type]


# MigrationContext


def steps_of(context: MigrationContext) -> Steps:
    """The function that yields the steps to run."""
    return context._migrations_fn  # type: ignore[return-value]


def set_steps(context: MigrationContext, steps: Steps) -> None:
    """Have the context run other steps: env.py configured it, and `fn` is read once, there."""
    context._migrations_fn = steps


def adopt_transaction(context: MigrationContext) -> None:
    """Have a transaction open that Alembic takes for its own, whatever a revision has left of the one before."""
    connection: Any = context.connection
    current = connection.get_transaction()
    if current is None or context._transaction is not current:
        context._transaction = current or connection.begin()


def version_column(context: MigrationContext) -> Any:
    """The column version_num of the table that Alembic would create: its width is fixed at 32 there."""
    return context._version.c.version_num


def execute_by(context: MigrationContext, execute: Callable[..., Any]) -> None:
    """Have operations end in `execute` instead of the connection: `as_sql` writes text, and not what runs."""
    context.impl._exec = execute  # type: ignore[method-assign]


# HeadMaintainer


@contextmanager
def version_rows_by(
    rows_after: Callable[[Collection[str], str, bool], Collection[str]], moves: RowMoves | None
) -> Iterator[None]:
    """While this lasts, Alembic's version rows are those of `rows_after`.

    The public hook, `on_version_apply`, is called after Alembic has moved the rows, and cannot move others. The class
    is replaced in the module, since `MigrationContext.run_migrations` makes its instance from there.

    Args:
        rows_after: rows before a step, the step's revision, and whether it goes up: the rows after it.
        moves: collects what is to be done; None: Alembic does it itself.
    """
    original = migration.HeadMaintainer
    by_graph = _by_graph(rows_after)
    migration.HeadMaintainer = by_graph if moves is None else _collecting(by_graph, moves)  # type: ignore[misc]
    try:
        yield
    finally:
        migration.HeadMaintainer = original  # type: ignore[misc]


def _by_graph(
    rows_after: Callable[[Collection[str], str, bool], Collection[str]],
) -> type[migration.HeadMaintainer]:
    class ByGraph(migration.HeadMaintainer):
        def update_to_step(self, step: Any) -> None:
            after = set(rows_after(self.heads, step.revision.revision, step.is_upgrade))
            gone, new = sorted(self.heads - after), sorted(after - self.heads)
            if gone and new:
                self._update_version(gone.pop(), new.pop())
            for version in gone:
                self._delete_version(version)
            for version in new:
                self._insert_version(version)

    return ByGraph


def _collecting(maintainer: type[migration.HeadMaintainer], moves: RowMoves) -> type[migration.HeadMaintainer]:
    class Collecting(maintainer):  # type: ignore[misc, valid-type]
        def _insert_version(self, version: str) -> None:
            moves.insert(version)
            self.heads.add(version)

        def _delete_version(self, version: str) -> None:
            moves.delete(version)
            self.heads.remove(version)

        def _update_version(self, from_: str, to_: str) -> None:
            moves.update(from_, to_)
            self.heads.remove(from_)
            self.heads.add(to_)

    return Collecting
