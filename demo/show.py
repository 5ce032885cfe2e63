"""How the story looks: on a terminal with colours, elsewhere as plain lines."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from tests.cluster.progress import console

from .watch import condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .watch import Raw

WIDEST = 110
_STYLES = {"True": "green", "False": "red", "Unknown": "yellow"}


def chapter(title: str) -> None:
    """The beginning of a part."""
    console.print()
    console.print(Text(title, "bold"))


def say(text: str) -> None:
    """A sentence about what is to be seen."""
    console.print(Text(text), soft_wrap=True)


def command(*lines: str) -> None:
    """A command that was run, or that is worth running."""
    for line in lines:
        console.print(Text(f"  $ {line}", "cyan"), soft_wrap=True)


def output(text: str) -> None:
    """What a command said."""
    for line in text.rstrip().splitlines():
        console.print(Text(f"    {line}", "dim"), soft_wrap=True)


def moment(seconds: float, raw: Raw) -> None:
    """A status, in two lines: the Ready condition and its message."""
    for line in moment_lines(seconds, raw, width()):
        console.print(line, soft_wrap=True)


def width() -> int:
    """Columns to write in: a log file's reader has more than the 80 that rich takes for what is no terminal."""
    return min(console.width, WIDEST) if console.is_terminal else WIDEST


def moment_lines(seconds: float, raw: Raw, columns: int) -> list[Text]:
    """The lines of `moment`: when and what in the first, the whole message below it."""
    ready = condition(raw, "Ready")
    head = Text(f"  {seconds:5.1f} s  ")
    head.append(f"Ready={ready['status']}", _STYLES.get(ready["status"], ""))
    head.append(f" {ready['reason']}", "bold")
    if condition(raw, "Stalled"):
        head.append("  Stalled=True", "red")
    at = (raw.get("status") or {}).get("current")
    if at:
        head.append(f"  at {at}")
    indent = " " * 11
    message = textwrap.wrap(
        ready["message"], max(40, columns), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return [head, *(Text(line, "dim") for line in message)]


def tables(rows: Sequence[tuple[str, int, int]]) -> None:
    """The tables of a database: name, columns and rows."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("table")
    table.add_column("columns", justify="right")
    table.add_column("rows", justify="right")
    for name, columns, count in rows:
        table.add_row(name, str(columns), str(count))
    console.print(Padding(table, (0, 0, 0, 4)))
