"""How much of a search a run can afford: `make unit` answers in seconds, `make test` tries everything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

Case = TypeVar("Case")
_SHARE = 1 if os.environ.get("TEST_EFFORT") == "all" else 10


def examples(all_of_them: int) -> int:
    """How many of the examples to try: a tenth without TEST_EFFORT=all."""
    return max(1, all_of_them // _SHARE)


def some(cases: Sequence[Case], of: object) -> Sequence[Case]:
    """The cases to try of this: all, or three without TEST_EFFORT=all, which are others for others."""
    if _SHARE == 1:
        return cases
    first = sum(repr(of).encode()) % len(cases)
    return [cases[(first + step * 5) % len(cases)] for step in range(3)]
