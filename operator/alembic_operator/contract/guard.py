"""What an approved plan lets through: each statement is held against it before it is sent.

DDL must come as planned: each, none left out, and in order where that makes a difference (see commuting). Statements
that read or write rows must be among those of their step, in any order and number. Both must be in or outside of a
transaction as planned. It guards against accident and drift; the database's role is the boundary for whoever means
harm.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .commuting import order_of
from .fingerprints import outline, text_fingerprint
from .plan import Step, StepKind
from .request import ProtocolError

VERSION = 1
_KNOWN_TEXTS = 500  # fingerprints that a checker keeps: a loop sends the same text again and again
_LONGEST_KNOWN = 4096  # characters of such a text
_WORDS = re.compile(r"\s*([A-Za-z]+(?:\s+[A-Za-z]+)?)")


class NotApproved(Exception):
    """A statement that the plan does not have there.

    Attributes:
        expected: what the plan has next, such as `statement 3 (CREATE INDEX)`, or `no further DDL`.
        sent: the statement without its literals; "" where the step ended too early.
    """

    def __init__(self, expected: str, sent: str) -> None:
        self.expected = expected
        self.sent = sent
        super().__init__(f"the plan has {expected}, and this was about to be sent: {sent or 'nothing more'}")


@dataclass(frozen=True)
class Ordered:
    """A statement of DDL.

    Attributes:
        value: its fingerprint.
        autocommit: whether it is sent outside of a transaction.
        number: in the step.
        executions: how often it is sent.
        words: for messages.
        after: positions of those that must have been sent before; None for all.
    """

    value: str
    autocommit: bool
    number: int
    executions: int
    words: str
    after: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return f"statement {self.number} ({self.words})" if self.words else f"statement {self.number}"


@dataclass(frozen=True)
class GuardedStep:
    """A step: its DDL in order, and what else it may send. Not `guarded`: whatever it sends passes."""

    revision: str
    guarded: bool
    ordered: tuple[Ordered, ...] = ()
    free: frozenset[tuple[str, bool]] = frozenset()


@dataclass
class Checker:
    """One pass over one step. An attempt that starts again needs a new one."""

    step: GuardedStep
    direction: str
    _sent: list[int] = field(default_factory=list)  # executions of each that is ordered
    _first: int = 0  # of those that are not sent whole
    _places: dict[tuple[str, bool], list[int]] = field(default_factory=dict)
    _known: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sent = [0] * len(self.step.ordered)
        for at, one in enumerate(self.step.ordered):
            self._places.setdefault((one.value, one.autocommit), []).append(at)

    def check(self, sql: str, autocommit: bool) -> None:
        """Let a text pass that is about to be sent.

        Raises:
            NotApproved: the plan does not have it here. Nothing may be sent after that.
        """
        if not self.step.guarded:
            return
        value, ddl = self._fingerprint(sql)
        if not ddl:
            if (value, autocommit) not in self.step.free:
                raise NotApproved(self._free_expected(value, autocommit), _shown(sql))
            return
        at = next((at for at in self._places.get((value, autocommit), ()) if not self._whole(at)), None)
        if at is None or not self._may_come(at):
            raise NotApproved(self._expected(value, autocommit), _shown(sql))
        self._sent[at] += 1
        while self._first < len(self._sent) and self._whole(self._first):
            self._first += 1

    def finish(self) -> None:
        """The step has sent everything that it had to.

        Raises:
            NotApproved: DDL of the plan was never sent.
        """
        if self.step.guarded and self._next() is not None:
            raise NotApproved(str(self._next()), "")

    def _next(self) -> Ordered | None:
        return self.step.ordered[self._first] if self._first < len(self.step.ordered) else None

    def _whole(self, at: int) -> bool:
        return self._sent[at] == self.step.ordered[at].executions

    def _may_come(self, at: int) -> bool:
        after = self.step.ordered[at].after
        return at == self._first if after is None else all(map(self._whole, after))

    def _fingerprint(self, sql: str) -> tuple[str, bool]:
        found = self._known.get(sql)
        if found is None:
            found = text_fingerprint(sql)
            if len(sql) <= _LONGEST_KNOWN and len(self._known) < _KNOWN_TEXTS:
                self._known[sql] = found
        return found

    def _expected(self, value: str, autocommit: bool) -> str:
        expected = self._next()
        if expected is None:
            return "no further DDL in this step"
        if expected.value == value:
            return f"{expected} {_place(not autocommit)}"
        return str(expected)

    def _free_expected(self, value: str, autocommit: bool) -> str:
        if (value, not autocommit) in self.step.free:
            return f"it {_place(not autocommit)}"
        return "no such statement in this step"


@dataclass
class EitherWay:
    """One pass over a step that sends something else where tables are empty: one of the ways, from beginning to end."""

    ways: list[Checker]

    def check(self, sql: str, autocommit: bool) -> None:
        """See Checker; told is what the first way has there."""
        self._go_on(lambda way: way.check(sql, autocommit))

    def finish(self) -> None:
        """See Checker."""
        self._go_on(lambda way: way.finish())

    def _go_on(self, ask: Callable[[Checker], None]) -> None:
        left, refused = [], list[NotApproved]()
        for way in self.ways:
            try:
                ask(way)
                left.append(way)
            except NotApproved as error:
                refused.append(error)
        if not left:
            raise refused[0]
        self.ways = left


@dataclass(frozen=True)
class Guard:
    """The guard of a whole plan, as it lies in the plan's ConfigMaps.

    Attributes:
        steps: what each may send; two of one revision are two ways.
        inputs: what the plan was made from, so that a run can tell what differs; None where they are not told.
    """

    steps: tuple[GuardedStep, ...]
    inputs: dict[str, Any] | None = None

    @classmethod
    def of(cls, steps: list[Step], inputs: dict[str, Any] | None = None) -> Guard:
        """The guard of a plan with a shadow's evidence; one of Static evidence has none.

        Opaque steps are not guarded, and what the runner itself sends (channel `runner`) is not part of it.
        """
        return cls(tuple(way for step in steps for way in _ways(step)), inputs)

    def begin(self, revision: str, direction: str) -> Checker | EitherWay:
        """The checker of one attempt at a revision.

        Raises:
            NotApproved: the plan has no such revision.
        """
        ways = [Checker(step, direction) for step in self.steps if step.revision == revision]
        if not ways:
            raise NotApproved("no such revision", f"{direction} of {revision}")
        return ways[0] if len(ways) == 1 else EitherWay(ways)

    def to_parts(self, limit: int = 700_000) -> list[bytes]:
        """The guard's text in parts of at most `limit` bytes, at least one."""
        body = {"version": VERSION, "steps": [_to_raw(step) for step in self.steps], "inputs": self.inputs}
        text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")
        return [text[at : at + limit] for at in range(0, len(text), limit)]

    @classmethod
    def from_parts(cls, parts: Sequence[bytes]) -> Guard:
        """Read a guard. Whether it is the approved one, `sha256` tells.

        Raises:
            ProtocolError: another version, or no guard.
        """
        try:
            body = json.loads(b"".join(parts).decode("ascii"))
            if body["version"] != VERSION:
                raise ProtocolError(f"the plan's guard has version {body['version']}, this runner reads {VERSION}")
            inputs = body.get("inputs")
            if inputs is not None and not isinstance(inputs, dict):
                raise ProtocolError("the plan's guard has a value of another type")
            return cls(tuple(_from_raw(raw) for raw in body["steps"]), inputs)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            if isinstance(error, ProtocolError):
                raise
            raise ProtocolError(f"the plan's guard cannot be read: {type(error).__name__}") from None


def sha256(parts: Sequence[bytes]) -> str:
    """Hex, over the parts one after the other: what a request pins."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()


def _ways(step: Step) -> list[GuardedStep]:
    """A step, and what it is where tables are empty."""
    return [_guarded(step), *([_guarded(replace(step, statements=step.otherwise))] if step.otherwise else [])]


def _guarded(step: Step) -> GuardedStep:
    if step.kind is StepKind.OPAQUE:
        return GuardedStep(step.revision, False)
    numbered = [(at, one) for at, one in enumerate(step.statements, start=1) if one.channel not in ("runner", "helper")]
    ddl = [(at, one) for at, one in numbered if one.ddl]
    ordered = (
        Ordered(one.fingerprint, one.autocommit, at, max(one.executions, 1), _words(one.sql), after)
        for (at, one), after in zip(ddl, order_of([one.sql for _, one in ddl]))
    )
    free = frozenset((one.fingerprint, one.autocommit) for _, one in numbered if not one.ddl)
    return GuardedStep(step.revision, True, tuple(ordered), free)


def _to_raw(step: GuardedStep) -> dict[str, Any]:
    return {
        "revision": step.revision,
        "guarded": step.guarded,
        "ordered": [
            [one.value, one.autocommit, one.number, one.executions, one.words]
            + ([] if one.after is None else [list(one.after)])
            for one in step.ordered
        ],
        "free": [list(one) for one in sorted(step.free)],
    }


def _from_raw(raw: dict[str, Any]) -> GuardedStep:
    ordered = tuple(Ordered(*one[:5], *(tuple(after) for after in one[5:])) for one in raw["ordered"])
    free = frozenset((value, autocommit) for value, autocommit in raw["free"])
    step = GuardedStep(raw["revision"], raw["guarded"], ordered, free)
    places = [step.guarded, *(one.autocommit for one in ordered), *(autocommit for _, autocommit in free)]
    counts = [count for one in ordered for count in (one.number, one.executions)]
    earlier = [type(at) is int and 0 <= at < here for here, one in enumerate(ordered) for at in one.after or ()]
    if not all(isinstance(place, bool) for place in places) or not all(
        [*earlier, *(type(count) is int and count > 0 for count in counts)]
    ):
        raise ProtocolError("the plan's guard has a value of another type")
    return step


def _words(sql: str) -> str:
    found = _WORDS.match(sql)
    return " ".join(found.group(1).upper().split()) if found else ""


def _place(autocommit: bool) -> str:
    return "outside of a transaction" if autocommit else "inside of a transaction"


def _shown(sql: str) -> str:
    return outline(sql) or "a text that cannot be read for sure"
