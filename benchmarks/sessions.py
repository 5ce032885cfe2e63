"""When somebody was connected to a database, by PostgreSQL's log."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

SETTINGS = {"log_connections": "on", "log_disconnections": "on", "log_line_prefix": "%m "}
_LINE = re.compile(
    r"(?P<at>[\d-]+ [\d:.]+) UTC LOG: +(?:connection authorized|disconnection): .*\bdatabase=(?P<database>\S+)"
)


def span(log: Path, database: str) -> tuple[float, float]:
    """The first connection and the last end of one, in seconds since 1970.

    Raises:
        ValueError: Nobody was connected.
    """
    found = [_LINE.match(line) for line in log.read_text(errors="replace").splitlines()]
    times = [_seconds(match["at"]) for match in found if match and match["database"] == database]
    if len(times) < 2:
        raise ValueError(f"nobody connected to {database}, says {log.name}")
    return min(times), max(times)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()
