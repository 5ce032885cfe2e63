"""The review as a process of its own: a plan document on stdin, the review as JSON on stdout.

It reads what a user's image has made; whatever goes wrong with that ends this process, and not the operator's.
"""

from __future__ import annotations

import sys
from datetime import date

from ..contract.plan import PlanDocument
from .lint import lint
from .squawk_program import SquawkFailed


def main(arguments: list[str]) -> int:
    """Review; the one argument is today, as 2026-12-31."""
    sys.setrecursionlimit(5000)
    document = PlanDocument.from_json(sys.stdin.buffer.read().decode("utf-8", "replace"))
    try:
        sys.stdout.write(lint(document, date.fromisoformat(arguments[0])).to_json())
    except SquawkFailed as failed:
        sys.stderr.write(f"{SquawkFailed.__name__}: {failed}\n")
        return 1
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
