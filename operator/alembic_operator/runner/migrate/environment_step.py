"""What env.py itself sends while the target is migrated: held against the plan's step of that name, as it is sent."""

from __future__ import annotations

from ...contract.plan import ENVIRONMENT, Direction
from ..database.driver import RawConnection
from ..database.lock_monitor import Watch
from ..errors import RunFailed
from ..signals import Signals
from .statement_guard import Refused, StatementGuard


class Statements:
    """The statements of one execution of env.py (guarding.Hears).

    Attributes:
        sent: how many.
        refused: why one was not sent; the run ends there, whatever env.py makes of the exception.
    """

    def __init__(
        self, raw: RawConnection, judge: StatementGuard, direction: Direction, signals: Signals, watch: Watch
    ) -> None:
        self.sent = 0
        self.refused: RunFailed | None = None
        self._raw, self._judge, self._signals, self._watch = raw, judge, signals, watch
        self._direction = "down" if direction == Direction.DOWNGRADE else "up"
        self._begun = False

    def before(self, sql: str) -> None:
        """See guarding.Hears."""
        self._signals.check()
        if self.refused is not None:
            raise self.refused
        self.sent += 1
        try:
            if not self._begun:
                self._begun = True
                self._judge.begin(ENVIRONMENT, self._direction)
            self._judge.check(sql, bool(self._raw.autocommit))
        except Refused as refused:
            self.refused = RunFailed(
                refused.reason,
                f"Running env.py, statement {self.sent} of its own: {refused.found}",
                f"It was not sent. {refused.todo}",
                statement=self.sent,
            )
            raise self.refused from None
        self._watch.started(ENVIRONMENT, self.sent)

    def after(self, error: BaseException | None) -> None:
        """See guarding.Hears."""
        self._watch.ended()

    def ending(self, how: str) -> None:
        """See guarding.Hears: env.py may end its transactions."""
