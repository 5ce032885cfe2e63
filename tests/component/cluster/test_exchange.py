"""Which requests are tried again, when, and what their errors are; no network."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from alembic_operator.cluster.errors import AlreadyExists, ClusterError, Conflict, Gone, NotFound, Refused, Unavailable
from alembic_operator.cluster.exchange import Answer, Ask, Exchange, NoAnswer, NotSent

READ = Ask("read Job shop/x", "get", "jobs", "GET", "/x")
CREATE = Ask("create Job shop/x", "create", "jobs", "POST", "/x", body={}, repeatable=False)
OK = Answer(200, b'{"kind": "Job"}')


def status(code: int, reason: str = "", message: str = "the server's sentence", retry: int | None = None) -> Answer:
    body: dict[str, object] = {"kind": "Status", "message": message, "code": code}
    if reason:
        body["reason"] = reason
    if retry is not None:
        body["details"] = {"retryAfterSeconds": retry}
    return Answer(code, json.dumps(body).encode())


class Server:
    """Answers in turn; time is what was slept."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.left = list(answers)
        self.time = 0.0
        self.pauses: list[float] = []
        self.heard: list[tuple[str, str, int]] = []
        self.renewed = 0
        self.exchange = Exchange(
            self._send,
            lambda verb, resource, code, seconds: self.heard.append((verb, resource, code)),
            self._renew,
            sleep=self._sleep,
            clock=lambda: self.time,
            jitter=lambda: 0.5,
        )

    async def _send(self, ask: Ask) -> Answer:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _sleep(self, seconds: float) -> None:
        self.time += seconds
        self.pauses.append(seconds)

    async def _renew(self) -> None:
        self.renewed += 1


async def test_object_is_read_when_the_answer_is_well() -> None:
    server = Server(OK)
    assert await server.exchange.object(READ) == {"kind": "Job"}
    assert server.heard == [("get", "jobs", 200)]


@pytest.mark.parametrize(
    "trouble",
    [status(429), status(500), status(503), status(504), NotSent("refused"), NoAnswer("broke")],
    ids=["429", "500", "503", "504", "not-sent", "no-answer"],
)
async def test_read_is_tried_again_when_the_trouble_may_pass(trouble: Answer | Exception) -> None:
    server = Server(trouble, trouble, OK)
    assert await server.exchange.object(READ) == {"kind": "Job"}
    assert server.pauses == [0.25, 1.0]
    assert len(server.heard) == 3


@pytest.mark.parametrize("trouble", [status(429), NotSent("refused"), status(401)], ids=["429", "not-sent", "401"])
async def test_creation_is_tried_again_when_it_had_no_effect(trouble: Answer | Exception) -> None:
    server = Server(trouble, OK)
    assert await server.exchange.object(CREATE) == {"kind": "Job"}


@pytest.mark.parametrize(
    "trouble", [status(500), status(503), status(504), NoAnswer("broke")], ids=["500", "503", "504", "no-answer"]
)
async def test_creation_is_sent_once_when_it_may_have_had_its_effect(trouble: Answer | Exception) -> None:
    server = Server(trouble, OK)
    with pytest.raises(Unavailable):
        await server.exchange.object(CREATE)
    assert server.left == [OK]


async def test_unavailable_when_three_tries_failed() -> None:
    server = Server(*[status(503)] * 3)
    with pytest.raises(Unavailable, match=r"^read Job shop/x: the server's sentence \(503\)$"):
        await server.exchange.object(READ)
    assert server.pauses == [0.25, 1.0]


async def test_the_pause_is_the_servers_when_it_names_one() -> None:
    server = Server(replace(status(429), retry_after="3"), status(429, retry=2), OK)
    await server.exchange.object(READ)
    assert server.pauses == [3.0, 2.0]


async def test_pause_is_handed_on_when_the_server_wants_a_long_one() -> None:
    server = Server(replace(status(503), retry_after="60"))
    with pytest.raises(Unavailable) as raised:
        await server.exchange.object(READ)
    assert raised.value.retry_after == 60
    assert server.pauses == []


async def test_own_pause_is_taken_when_the_servers_is_a_date() -> None:
    server = Server(replace(status(429), retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), OK)
    await server.exchange.object(READ)
    assert server.pauses == [0.25]


async def test_credentials_are_renewed_when_they_were_not_accepted() -> None:
    server = Server(status(401, "Unauthorized", "Unauthorized"), OK)
    await server.exchange.object(READ)
    assert server.renewed == 1
    server = Server(*[status(401, "Unauthorized", "Unauthorized")] * 3)
    with pytest.raises(Unavailable, match=r"Unauthorized \(401\)"):
        await server.exchange.object(READ)
    assert server.renewed == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(400, "BadRequest"), Refused),
        (status(403, "Forbidden"), Refused),
        (status(404, "NotFound"), NotFound),
        (status(405, "MethodNotAllowed"), Refused),
        (status(409, "AlreadyExists"), AlreadyExists),
        (status(409, "Conflict"), Conflict),
        (status(410, "Expired"), Gone),
        (status(413, "RequestEntityTooLarge"), Refused),
        (status(415, "UnsupportedMediaType"), Refused),
        (status(422, "Invalid"), Refused),
        (status(500, message="failed to create typed patch object (a/b): .status.x: field not declared"), Refused),
    ],
    ids=lambda value: str(value.code) if isinstance(value, Answer) else value.__name__,
)
async def test_error_is_ours_and_nothing_is_repeated_when_the_server_decided(
    answer: Answer, kind: type[ClusterError]
) -> None:
    server = Server(answer)
    with pytest.raises(ClusterError) as raised:
        await server.exchange.object(READ)
    assert type(raised.value) is kind
    assert raised.value.action == "read Job shop/x"
    assert raised.value.detail == f"{json.loads(answer.body)['message']} ({answer.code})"


async def test_text_is_quoted_when_something_else_than_the_api_server_answers() -> None:
    server = Server(*[Answer(502, b"<html>Bad Gateway</html>\n")] * 3)
    with pytest.raises(Unavailable, match=r"<html>Bad Gateway</html> \(502\)"):
        await server.exchange.object(READ)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
async def test_unavailable_when_a_good_answer_is_no_object(body: bytes) -> None:
    with pytest.raises(Unavailable, match="the answer is no"):
        await Server(Answer(200, body)).exchange.object(READ)
