"""A gate in a revision: a run stands there while it is closed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REACHED = "at the gate"  # what a run prints there

_CODE = """\
import pathlib, threading
if pathlib.Path({closed!r}).exists():
    print({reached!r}, flush=True)
while pathlib.Path({closed!r}).exists():
    threading.Event().wait(0.01)
"""


@dataclass
class Gate:
    """Open at first.

    Attributes:
        file: is there while the gate is closed; in no directory of the project, whose files an approval covers.
    """

    file: Path

    @property
    def code(self) -> str:
        """The lines in a revision at which a run is to stand."""
        return _CODE.format(closed=str(self.file), reached=REACHED)

    def close(self) -> None:
        """Stop the next run that comes there."""
        self.file.touch()

    def open(self) -> None:
        """Let every run go on."""
        self.file.unlink()
