"""Messages as they are compared: without what differs from run to run."""

from __future__ import annotations

import re

# What differs from run to run, in the order in which it is replaced.
_VARYING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
    (r"\b([a-z0-9][-a-z0-9]*?)-[0-9a-f]{8}-(\d+)-[a-z0-9]{5}\b", r"POD \1/\2"),
    (r"\b([a-z0-9][-a-z0-9]*?)-[0-9a-f]{8}-(\d+)\b", r"\1/\2"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\bpid \d+", "pid PID"),
    (r"\bfor \d+[smh]\b", "for TIME"),
    (r"\bin \d+\.\d s\b", "in SECONDS"),
)


def plain(message: str) -> str:
    """A message without what differs from run to run: a Job becomes `shop/1`, its name and the attempt."""
    for pattern, word in _VARYING:
        message = re.sub(pattern, word, message)
    return message
