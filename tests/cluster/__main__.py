"""The command line: python -m tests.cluster prepare|up|down|status|env|load."""

from __future__ import annotations

import platform
import sys


def main() -> int:
    """Run one command; the exit code."""
    found = platform.python_version()
    if [int(part) for part in found.split(".")[:2]] < [3, 11]:
        print(f"Python 3.11 or newer is needed, this is {found}: .venv/bin/python -m tests.cluster", file=sys.stderr)
        return 1
    try:
        from .command import run
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is missing: make venv, then .venv/bin/python -m tests.cluster", file=sys.stderr)
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
