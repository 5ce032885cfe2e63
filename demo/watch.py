"""What a resource says, as it changes: the API server's own watch, no polling."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from tests.cluster.lifecycle import Cluster

Raw = dict[str, Any]

AWAITING = "AwaitingApproval"
SCHEMAS = "/apis/alembic-operator.dev/v1alpha1/namespaces/{namespace}/databaseschemas"
JOBS = "/apis/batch/v1/namespaces/{namespace}/jobs"


class Watch:
    """The states of one object from now on, each with the time at which it was seen (a context manager)."""

    def __init__(self, cluster: Cluster, path: str, namespace: str, name: str) -> None:
        self._address = f"{path.format(namespace=namespace)}?watch=1&fieldSelector=metadata.name%3D{name}"
        self._cluster = cluster
        self._what = f"{name} in {namespace}"
        self._seen: queue.SimpleQueue[tuple[float, Raw] | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._cluster.bin / "kubectl", "get", "--raw", self._address],
            env={**os.environ, **self._cluster.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._seen.put((time.monotonic(), json.loads(line)))
        self._seen.put(None)

    def next(self, timeout: float) -> tuple[float, Raw]:
        """The next state and when it was seen; a deleted object has none, so it is skipped.

        Raises:
            TimeoutError: Nothing changed.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                found = self._seen.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"{self._what} did not change for {timeout:.0f} s") from None
            if found is None:
                raise RuntimeError(f"the watch of {self._what} ended: {self._said()}")
            at, event = found
            if event["type"] in ("ADDED", "MODIFIED"):
                return at, event["object"]

    def _said(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read().decode(errors="replace").strip()


def condition(raw: Raw, kind: str) -> Raw:
    """A condition of an object, or an empty one."""
    conditions: list[Raw] = (raw.get("status") or {}).get("conditions") or []
    return next((item for item in conditions if item["type"] == kind), {})


def observed(raw: Raw) -> bool:
    """Whether the status is about the present generation."""
    return bool(raw["metadata"]["generation"] == (raw.get("status") or {}).get("observedGeneration"))


def settled(raw: Raw) -> bool:
    """Whether the operator is done with the present generation, or waits for a person: Ready, Stalled, a decision."""
    ready, stalled = condition(raw, "Ready"), condition(raw, "Stalled")
    done = "True" in (ready.get("status"), stalled.get("status")) or ready.get("reason") == AWAITING
    return observed(raw) and done
