"""How much of a search a run can afford: `make unit` answers in seconds, `make test` tries everything."""

from __future__ import annotations

import os

_SHARE = 1 if os.environ.get("TEST_EFFORT") == "all" else 10


def examples(all_of_them: int) -> int:
    """How many of the examples to try: a tenth without TEST_EFFORT=all."""
    return max(1, all_of_them // _SHARE)
