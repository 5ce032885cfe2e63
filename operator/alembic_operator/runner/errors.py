"""The one way in which a run ends early: an exception that carries what the result says."""

from __future__ import annotations

from ..contract.reasons import Reason
from ..contract.result import Failure


class RunFailed(Exception):
    """The run ends, for a published reason.

    The message says what was attempted, on which object, what was found and what to do next. It is made from words of
    ours and from names in the database or the image, never from a connection string, parameter, row or driver error.

    Attributes:
        failure: as it stands in the result; its message ends with what to do.
        found: the message without what to do, and without a full stop.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        todo: str = "",
        *,
        revision: str = "",
        statement: int = 0,
        sqlstate: str = "",
        blocked_by: str = "",
    ) -> None:
        self.found = message.rstrip(".")
        if todo:
            message = f"{self.found}. {todo}"
        super().__init__(f"{reason.value}: {message}")
        self.failure = Failure(
            reason=reason,
            message=message,
            revision=revision,
            statement=statement,
            sqlstate=sqlstate,
            blocked_by=blocked_by,
        )


class EndRequested(KeyboardInterrupt):
    """Raised in the main thread by a signal: SIGTERM, or the timer of spec.timeouts.run.

    A subclass of KeyboardInterrupt, since psycopg 3 cancels the server's statement for that and not for an ordinary
    exception (measured: the statement stayed active).
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
