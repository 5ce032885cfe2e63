"""The one way in which a run ends early: an exception that carries what the result says."""

from __future__ import annotations

from dataclasses import replace

from ..contract.reasons import Reason
from ..contract.result import Failure
from .terms import IN_A_JOB, Words


class RunFailed(Exception):
    """The run ends, for a published reason.

    The message says what was attempted, on which object, what was found and what to do next. It is made from words of
    ours and from names in the database or the image, never from a connection string, parameter, row or driver error.

    Attributes:
        failure: as a Job tells it; its message ends with what to do.
        found: the message without what to do, and without a full stop; with terms, to make another message of.
        todo: what to do, where it was given by itself; with terms.
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
        self.found, self.todo = message.rstrip("."), todo
        self._message = f"{self.found}. {todo}" if todo else message
        self.failure = Failure(
            reason=reason,
            message=self._message.translate(IN_A_JOB),
            revision=revision,
            statement=statement,
            sqlstate=sqlstate,
            blocked_by=blocked_by,
        )
        super().__init__(f"{reason.value}: {self.failure.message}")

    @property
    def plain(self) -> str:
        """What was found as a Job tells it, for what outlasts the run: a plan, a record, the journal."""
        return self.found.translate(IN_A_JOB)

    def told(self, words: Words) -> Failure:
        """The failure in the words of its reader."""
        return replace(self.failure, message=self._message.translate(words))


class EndRequested(KeyboardInterrupt):
    """Raised in the main thread by a signal: SIGTERM, or the timer of spec.timeouts.run.

    A subclass of KeyboardInterrupt, since psycopg 3 cancels the server's statement for that and not for an ordinary
    exception (measured: the statement stayed active).
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
