"""What a run tells while it goes on, and its result at the end.

Records are lines that begin with a newline and a prefix, since user code may print without line ends; everything that
user code prints passes through untouched. The result goes to the termination message, exactly once.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..contract import job_env
from ..contract.canonical_json import canonical
from ..contract.records import LAST_LINE
from ..contract.result import Outcome, RunResult
from .terms import IN_A_JOB, Words

RECORDS_LIMIT = 8 * 1024 * 1024  # bytes; the kubelet rotates a container's log at 10 MiB


def now() -> str:
    """This moment, as Kubernetes writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Report:
    """The records of one run; safe to call from the thread that watches.

    Attributes:
        count: of records written.
        warnings: one sentence each, for the result.

    Args:
        words: of whoever reads the result.
    """

    def __init__(self, words: Words = IN_A_JOB) -> None:
        self.words = words
        self.count = 0
        self.warnings: list[str] = []
        self._bytes = 0
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()

    def record(self, event: str, **facts: Any) -> None:
        """Write a record: what happened, when, and its facts."""
        text = canonical({"at": now(), "event": event, **facts})
        with self._lock:
            if self._bytes + len(text) > RECORDS_LIMIT:
                return
            self._bytes += len(text)
            self.count += 1
            self._hash.update(text.encode("ascii") + b"\n")
            sys.stdout.write(f"\n{job_env.RECORD_PREFIX}{text}\n")
            sys.stdout.flush()

    def warn(self, sentence: str) -> None:
        """Say something that does not stop the run, in a record and in the result."""
        sentence = sentence.translate(self.words)
        if sentence not in self.warnings:
            self.warnings.append(sentence)
            self.record("warning", message=sentence)

    @property
    def sha256(self) -> str:
        """Over the records' JSON texts, each followed by a line end."""
        return self._hash.hexdigest()


def publish(result: RunResult) -> int:
    """Write the termination message and a last line for people.

    Returns:
        The exit code: 0 for an outcome that the operator may take as it is, 1 for a failure.
    """
    Path(job_env.TERMINATION_LOG).write_text(result.to_json(), encoding="utf-8")
    sys.stdout.write(f"\n{LAST_LINE}{summary(result)}\n")
    sys.stdout.flush()
    return 1 if result.outcome == Outcome.FAILED else 0


def summary(result: RunResult) -> str:
    """One sentence on how the run ended."""
    at, targets = ", ".join(result.current or []) or "base", ", ".join(result.target_revisions)
    if result.failure is not None:
        return f"{result.failure.reason.value}: {result.failure.message}"
    if result.outcome == Outcome.APPLIED:
        many = "revision" if result.applied_count == 1 else "revisions"
        return f"Applied {result.applied_count} {many}; the database is at {at}."
    if result.outcome == Outcome.UP_TO_DATE:
        return f"UpToDate: the database is at {at}; nothing to do."
    if result.outcome == Outcome.AHEAD:
        return f"SchemaAhead: the database is at {at}, beyond {targets}; nothing was done."
    if result.outcome == Outcome.PLANNED and result.plan is not None:
        return f"Planned: {result.pending} to {targets}, digest {result.plan.digest}; nothing was written."
    return f"Behind: the database is at {at}; {result.pending} to apply up to {targets}."
