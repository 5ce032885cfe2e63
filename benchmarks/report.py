"""Results on the terminal and in docs/benchmarks.md, which is made from benchmarks/results.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text
from tests.cluster.progress import console

from .samples import Result, Row, Verdict, number

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
_HEAD = ("", "median", "range", "n")


def today() -> str:
    """The date, by UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def commit() -> str:
    """The short name of the commit, marked where the operator differs from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--", "operator") else "")


def machine() -> str:
    """What it ran on, in a sentence; nothing that names the machine."""
    kib = int(Path("/proc/meminfo").read_text().split()[1])
    return (
        f"{os.cpu_count()} cores, {kib / 2**20:.0f} GiB, Linux {platform.release().split('-')[0]}, "
        f"CPython {platform.python_version()}, Kubernetes 1.36.3 (one node), PostgreSQL 15"
    )


def show(result: Result) -> None:
    """Print a result as a table."""
    table = Table(title=Text(result.title, "bold"), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for position, name in enumerate(_HEAD):
        table.add_column(name, justify="right" if position else "left")
    for row in result.rows:
        table.add_row(*_cells(row))
    console.print()
    console.print(table, soft_wrap=True)
    for verdict in result.verdicts:
        style = "green" if verdict.reached else "red"
        console.print(Text(f"  {'✓' if verdict.reached else '✗'} {_sentence(verdict)}", style), soft_wrap=True)
    for note in result.notes:
        console.print(Text(f"  {note}", "dim"), soft_wrap=True)


def _cells(row: Row) -> tuple[str, str, str, str]:
    unit = f" {row.unit}" if row.unit else ""
    span = f"{number(min(row.values))} to {number(max(row.values))}" if len(row.values) > 1 else ""
    return row.what, f"{number(row.median)}{unit}", span, str(len(row.values))


def _sentence(verdict: Verdict) -> str:
    span = f" ({number(verdict.range[0])} to {number(verdict.range[-1])})" if verdict.range else ""
    return f"{verdict.what}: {number(verdict.value)}{span}, target at most {number(verdict.target)}"


def keep(results: dict[str, list[Result]]) -> None:
    """Put results in the place of older ones of the same benchmark, and write the page."""
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept.update({name: [asdict(result) for result in found] for name, found in results.items()})
    kept["machine"] = machine()
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page(kept))
    console.print(f"\nWritten: {PAGE.relative_to(ROOT)}")


def page(kept: dict[str, Any]) -> str:
    """The page of everything that is kept."""
    results = [_read(raw) for name, found in kept.items() if name != "machine" for raw in found]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; `python -m benchmarks NAME…` measures a part of it again. The figures are medians,",
        "with the range of all measurements. A ratio is that of the medians, with the range of the ratios of",
        "neighbouring pairs.",
        "",
        f"Machine: {kept['machine']}. The servers, the node and the benchmark share it.",
    ]
    for result in results:
        lines += ["", *_section(result)]
    return "\n".join(lines) + "\n"


def _read(raw: dict[str, Any]) -> Result:
    rows = [Row(**row) for row in raw["rows"]]
    return Result(**{**raw, "rows": rows, "verdicts": [Verdict(**one) for one in raw["verdicts"]]})


def _section(result: Result) -> Iterable[str]:
    yield f"## {result.title}"
    yield ""
    yield result.method
    yield ""
    yield "| " + " | ".join(_HEAD) + " |"
    yield "|---|---|---|---|"
    for row in result.rows:
        yield "| " + " | ".join(_cells(row)) + " |"
    yield ""
    for verdict in result.verdicts:
        yield f"- **{_sentence(verdict)}: {'reached' if verdict.reached else 'not reached'}**"
    for note in result.notes:
        yield f"- {note}" if "\n" not in note else f"\n{note}"
    yield ""
    yield f"Measured {result.date}, commit {result.commit}."
