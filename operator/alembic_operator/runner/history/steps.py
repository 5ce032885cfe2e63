"""The steps that take a database from its version rows to the targets, as Alembic runs them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from alembic.runtime.migration import MigrationStep, RevisionStep

from ...contract.plan import Direction
from ..alembic_private import upgrade_steps

if TYPE_CHECKING:
    from .load import History


_ran: WeakSet[ModuleType] = WeakSet()


def renew(step: RevisionStep) -> None:
    """Have a step run the code of its file anew, where that has run in this process before.

    Alembic's command runs each file once a process. What a module keeps (a MetaData with the revision's tables) would
    be there already when the revision is tried again after a lock, taken back, or planned a second time without rows.
    """
    script: Any = step.revision
    module: ModuleType = script.module
    spec = module.__spec__
    if module in _ran and spec is not None and spec.loader is not None:
        module = script.module = module_from_spec(spec)
        spec.loader.exec_module(module)
        step.migration_fn = module.upgrade if step.is_upgrade else module.downgrade
    _ran.add(module)


def destination(targets: Sequence[str]) -> str | tuple[str, ...]:
    """What `context.get_revision_argument()` tells, as on the command line where that can name it."""
    return tuple(targets) if len(targets) > 1 else (targets[0] if targets else "base")


def steps_to(history: History, direction: Direction, targets: Sequence[str], rows: Sequence[str]) -> list[RevisionStep]:
    """The steps in order.

    Up, they are what `alembic upgrade` takes to several revisions at once. Down, Alembic has a command for one revision
    only, which leaves what does not follow it: here all goes that the targets do not contain, children before parents.

    Args:
        history: of the image.
        direction: Upgrade or Downgrade.
        targets: full ids; none for base.
        rows: of the version table.
    """
    script = history.script
    if direction == Direction.DOWNGRADE:
        graph = history.graph
        back = graph.ancestors(rows) - graph.ancestors(targets)
        scripts = [script.get_revision(revision) for revision in reversed(graph.oldest_first(back))]
        return [MigrationStep.downgrade_from_script(script.revision_map, one) for one in scripts]
    return upgrade_steps(script, targets, rows)
