"""The command line: python -m demo up|down."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import TYPE_CHECKING

from rich.text import Text
from tests.cluster.processes import CommandFailed, NotPossible
from tests.cluster.progress import console

from . import ending, lifecycle

if TYPE_CHECKING:
    from types import FrameType

_DESCRIPTION = """\
An application's database migrated by alembic-operator, on a real Kubernetes and PostgreSQL.

Without these variables it builds a cluster of its own on this machine:
  KUBECONFIG          a cluster to use instead
  IMAGE_REGISTRY      where that cluster pulls images from, and this machine may push them to
  DEMO_DATABASE_HOST  where its pods reach this machine's PostgreSQL (default: this machine's address towards it)
"""


def main() -> int:
    """Run one command; the exit code."""
    signal.signal(signal.SIGTERM, _end)
    console.stderr = False  # one stream for steps and story, in the order in which they happen
    parser = argparse.ArgumentParser(
        prog="python -m demo", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="run the demo; it stays up")
    commands.add_parser("down", help="remove everything that it made")
    command = parser.parse_args().command
    began = time.monotonic()
    try:
        if command == "up":
            lifecycle.up()
            console.print(Text(f"\nThat took {time.monotonic() - began:.0f} s.", "dim"))
        else:
            lifecycle.down()
    except KeyboardInterrupt:
        console.print(Text("✗ interrupted", "red"))
        ending.say_what_is_left()
        return 130
    except (CommandFailed, NotPossible, RuntimeError, TimeoutError) as problem:
        lines = [str(problem), *getattr(problem, "__notes__", [])]
        console.print(Text("✗ " + "\n".join(lines), "red"), soft_wrap=True)
        if not isinstance(problem, NotPossible):
            ending.say_what_is_left()
        return 1
    return 0


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
