"""Says what is being done and how long it takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

console = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class _Doing:
    """What is being done, how far it is, and for how long: each time that the terminal is drawn anew."""

    what: str
    began: float
    detail: str = ""

    def __rich__(self) -> Text:
        seconds = f"{time.monotonic() - self.began:.0f} s"
        return Text(", ".join(part for part in (self.what, self.detail, seconds) if part))


@contextmanager
def step(what: str, usually: str = "") -> Iterator[Callable[[str], None]]:
    """Show `what` while it is done, and its time when it is done.

    Args:
        what: What is being done, in a few words.
        usually: How long it may take, for what takes long enough to wonder.

    Yields:
        A function that shows how far it is.
    """
    began = last_said = time.monotonic()
    doing = _Doing(f"{what} (takes {usually})" if usually else what, began)
    with console.status(doing):
        if usually and not console.is_terminal:
            console.print(Text(f"… {doing.what}"))

        def show(detail: str) -> None:
            nonlocal last_said
            doing.detail = detail
            if not console.is_terminal and time.monotonic() - last_said > 30:
                last_said = time.monotonic()
                console.print(Text(f"  {detail}, {last_said - began:.0f} s"))

        try:
            yield show
        except BaseException:
            console.print(Text(f"✗ {what}", "red"), Text(f"after {time.monotonic() - began:.1f} s", "dim"))
            raise
    console.print(Text("✓", "green"), Text(what), Text(f"{time.monotonic() - began:.1f} s", "dim"))
