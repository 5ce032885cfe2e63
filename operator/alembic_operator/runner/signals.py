"""SIGTERM and the time limit of a run: both end it at once, by an exception in the main thread.

psycopg 3 cancels the server's statement when a KeyboardInterrupt comes. psycopg2 notices a signal only when the
statement has ended, so there a thread behind `signal.set_wakeup_fd` cancels it.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from ..contract.reasons import Reason
from .database.driver import RawConnection
from .errors import EndRequested

_REASONS = {signal.SIGTERM: Reason.INTERRUPTED, signal.SIGALRM: Reason.DEADLINE_EXCEEDED}


class Signals:
    """Which end was asked for, if any.

    Attributes:
        requested: why the run has to end; None while it may go on. User code may have swallowed the exception, so
        this is looked at before each statement.
    """

    def __init__(self, run_timeout: float) -> None:
        self.requested: Reason | None = None
        self._armed = True
        self._connection: RawConnection | None = None
        for number in _REASONS:
            signal.signal(number, self._end)
        signal.setitimer(signal.ITIMER_REAL, run_timeout)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if self.requested is None and self._armed:
            self.requested = _REASONS[signal.Signals(number)]
            raise EndRequested(self.requested)

    def check(self) -> None:
        """Raise again what user code may have swallowed.

        Raises:
            EndRequested: when the run has to end.
        """
        if self.requested is not None:
            raise EndRequested(self.requested)

    def disarm(self) -> None:
        """From here on a signal changes nothing: the work is over, and only its result is to be written."""
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def cancel_on_signal(self, connection: RawConnection) -> None:
        """Cancel the connection's statement when a signal comes, from a thread (psycopg2)."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        threading.Thread(target=_cancel, args=(reader, connection), name="cancel", daemon=True).start()


def _cancel(reader: int, connection: RawConnection) -> None:
    while os.read(reader, 1)[0] not in _REASONS:
        pass
    connection.cancel()
