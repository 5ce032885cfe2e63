"""Ask the API server, a few times where that is safe, and say what went wrong in our words.

Promised: an `Unavailable` of a request that is not repeatable may have had its effect. Never: a creation sent twice
after an answer got lost (names are deterministic, so the caller looks again and finds out).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from alembic_operator.cluster.errors import AlreadyExists, ClusterError, Conflict, Gone, NotFound, Refused, Unavailable
from alembic_operator.cluster.port import Raw

PAUSES = (0.25, 1.0)  # seconds before the second and the third try, times 0.5 to 1.5
BUDGET = 20.0  # seconds for all tries of one request; a worker is not held up for longer
JSON = "application/json"
# How the API server (1.36.3) says, with a 500 and no reason, that what is applied does not fit the CRD.
MISFIT = "failed to create typed patch object"

OnRequest = Callable[[str, str, int, float], None]


@dataclass(frozen=True)
class Ask:
    """One request.

    Attributes:
        action: for people, as `create Job shop/shop-7f3c9a1b-1`.
        verb: the verb of Kubernetes' access control, as `list`.
        resource: the plural, with the subresource if any, as `databaseschemas/status`.
        repeatable: whether sending it twice does what sending it once does.
    """

    action: str
    verb: str
    resource: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Raw | None = None
    content_type: str = JSON
    accept: str = JSON
    repeatable: bool = True


@dataclass(frozen=True)
class Answer:
    """What the API server said; `retry_after` is the header's text."""

    code: int
    body: bytes
    retry_after: str = ""


class NotSent(Exception):
    """No connection was made: the request had no effect."""


class NoAnswer(Exception):
    """The request left, and its answer did not come: it may have had its effect."""


class Exchange:
    """Sends requests by `send`, which raises NotSent and NoAnswer only; `on_request` hears of each try, code 0 if lost.

    `renew_credentials` is awaited after a 401, before the next try.
    """

    def __init__(
        self,
        send: Callable[[Ask], Awaitable[Answer]],
        on_request: OnRequest | None = None,
        renew_credentials: Callable[[], Awaitable[None]] | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._send = send
        self._on_request = on_request
        self._renew_credentials = renew_credentials
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter

    async def object(self, ask: Ask) -> dict[str, Any]:
        """The object in the answer. Raises the errors of `errors`."""
        answer = await self.answer(ask)
        try:
            read = json.loads(answer.body)
        except ValueError as error:
            raise Unavailable(ask.action, f"the answer is not JSON: {error}") from error
        if not isinstance(read, dict):
            raise Unavailable(ask.action, f"the answer is no object but {type(read).__name__}")
        return read

    async def answer(self, ask: Ask) -> Answer:
        """The answer to a request that succeeded. Raises the errors of `errors`."""
        deadline = self._clock() + BUDGET
        for pause in (*PAUSES, None):
            try:
                answer = await self._timed(ask)
            except NotSent as trouble:
                error: ClusterError = Unavailable(ask.action, str(trouble))
                again = True
            except NoAnswer as trouble:
                error = Unavailable(ask.action, str(trouble))
                again = ask.repeatable
            else:
                if answer.code < 400:
                    return answer
                error = error_of(ask, answer)
                # 401 and 429 are said before the request is looked at, 5xx at any time.
                lost = isinstance(error, Unavailable) and ask.repeatable
                again = answer.code in (401, 429) or lost
                if answer.code == 401 and pause is not None and self._renew_credentials:
                    await self._renew_credentials()
            if pause is None or not again:
                break
            wanted = error.retry_after if isinstance(error, Unavailable) else 0.0
            wait = max(wanted, pause * (0.5 + self._jitter()))
            if self._clock() + wait >= deadline:
                break
            await self._sleep(wait)
        raise error

    async def _timed(self, ask: Ask) -> Answer:
        started = self._clock()
        code = 0
        try:
            answer = await self._send(ask)
            code = answer.code
            return answer
        finally:
            if self._on_request:
                self._on_request(ask.verb, ask.resource, code, self._clock() - started)


def error_of(ask: Ask, answer: Answer) -> ClusterError:
    """The error that an answer of 400 or more stands for, with the server's own sentence."""
    status = _status(answer.body)
    detail = str(status.get("message") or answer.body[:500].decode(errors="replace").strip() or "no explanation")
    detail = f"{detail} ({answer.code})"
    if answer.code == 500 and detail.startswith(MISFIT):
        return Refused(ask.action, detail)
    if answer.code in (401, 408, 429) or answer.code >= 500:
        return Unavailable(ask.action, detail, _retry_after(answer, status))
    if answer.code == 409 and status.get("reason") == "AlreadyExists":
        return AlreadyExists(ask.action, detail)
    kinds: dict[int, type[ClusterError]] = {404: NotFound, 409: Conflict, 410: Gone}
    return kinds.get(answer.code, Refused)(ask.action, detail)


def _status(body: bytes) -> dict[str, Any]:
    """The metav1.Status in the body; a proxy in between answers with something else."""
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _retry_after(answer: Answer, status: Raw) -> float:
    details = status.get("details")
    said = answer.retry_after or (details.get("retryAfterSeconds") if isinstance(details, dict) else "") or 0
    try:
        return max(0.0, float(said))
    except ValueError:  # a date, which no API server writes
        return 0.0
