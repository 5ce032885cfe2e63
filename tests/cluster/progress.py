"""Says what is being done and how long it takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def step(what: str, usually: str = "") -> Iterator[Callable[[str], None]]:
    """Show `what` while it is done, and its time when it is done.

    Args:
        what: What is being done, in a few words.
        usually: How long it may take, for what takes long enough to wonder.

    Yields:
        A function that shows how far it is.
    """
    began = time.monotonic()
    expected = f" (takes {usually})" if usually else ""
    last_said = began

    def line(detail: str) -> Text:
        return Text(f"{what}{expected} {detail}".rstrip())

    with console.status(line("")) as status:
        if usually and not console.is_terminal:
            console.print(Text("… ").append(line("")))

        def show(detail: str) -> None:
            nonlocal last_said
            status.update(line(f"{detail}, {time.monotonic() - began:.0f} s"))
            if not console.is_terminal and time.monotonic() - last_said > 30:
                last_said = time.monotonic()
                console.print(Text(f"  {detail}, {last_said - began:.0f} s"))

        try:
            yield show
        except BaseException:
            console.print(Text(f"✗ {what}", "red"), Text(f"after {time.monotonic() - began:.1f} s", "dim"))
            raise
    console.print(Text("✓", "green"), Text(what), Text(f"{time.monotonic() - began:.1f} s", "dim"))
