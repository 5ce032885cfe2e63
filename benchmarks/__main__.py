"""The command line: python -m benchmarks [names…]."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text
from tests.cluster.processes import CommandFailed, NotPossible
from tests.cluster.progress import console

from . import bed, contact, history, idle, latency, lint, report, reviewed, shadow, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from .samples import Result

ON_CLUSTER: dict[str, Callable[[bed.Bed], list[Result]]] = {
    "change": latency.measure,
    "reviewed": reviewed.measure,
    "waiting": waiting.measure,
    "idle": idle.measure,
}
ALONE: dict[str, Callable[[], list[Result]]] = {
    "history": history.measure,
    "shadow": shadow.measure,
    "lint": lint.measure,
    "contact": contact.measure,
}


def main() -> int:
    """Measure what is asked for, print it, and keep it in docs/benchmarks.md; the exit code."""
    console.stderr = False
    if not console.is_terminal:
        console.width = 110
    names = [*ALONE, *ON_CLUSTER]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which of {', '.join(names)} (default: all)")
    parser.add_argument("--keep", action="store_true", help="do not write docs/benchmarks.md")
    arguments = parser.parse_args()
    unknown = sorted({*arguments.names} - {*names})
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(names)}")
    try:
        results = _measured([name for name in names if name in (arguments.names or names)], keep=not arguments.keep)
    except KeyboardInterrupt:
        console.print(Text("✗ interrupted; nothing of what was begun is left", "red"))
        return 130
    except (CommandFailed, NotPossible, RuntimeError, TimeoutError) as problem:
        console.print(Text(f"✗ {problem}", "red"), soft_wrap=True)
        return 1
    return 0 if all(verdict.reached for found in results.values() for one in found for verdict in one.verdicts) else 1


def _measured(names: list[str], *, keep: bool) -> dict[str, list[Result]]:
    """Each is kept as soon as it is measured: a later one that fails takes nothing with it."""
    results = {}
    for name in names:
        if name in ALONE:
            results[name] = _shown(name, ALONE[name](), keep=keep)
    wanted = [name for name in names if name in ON_CLUSTER]
    if wanted:
        with bed.made() as made:
            for name in wanted:
                results[name] = _shown(name, ON_CLUSTER[name](made), keep=keep)
                made.clear()
    return results


def _shown(name: str, results: list[Result], *, keep: bool) -> list[Result]:
    stamped = [replace(result, date=report.today(), commit=report.commit()) for result in results]
    for result in stamped:
        report.show(result)
    if keep:
        report.keep({name: stamped})
    return stamped


if __name__ == "__main__":
    sys.exit(main())
