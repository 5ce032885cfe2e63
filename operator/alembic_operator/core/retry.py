"""When to try again: exponential, capped, with a jitter that needs no dice, so that a decision can be repeated."""

from __future__ import annotations

import hashlib

CAP = 600.0  # seconds
_JITTER = 0.2


def pause(backoff: float, count: int, salt: str) -> float:
    """Seconds to wait after the `count`-th failure in a row (1 is the first).

    Doubles from `backoff` up to ten minutes, spread by up to 20 % either way by a hash of `salt`.
    """
    doubled = min(CAP, backoff * 2.0 ** min(count - 1, 30))
    share = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:4], "big") / 2**32
    return min(CAP, doubled * (1 - _JITTER + 2 * _JITTER * share))
