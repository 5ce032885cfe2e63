"""The command line: python -m tests.storm --seed N --minutes M, on a cluster of its own."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .sea import sea
from .storm import Storm


def main() -> int:
    """Let it storm; 1 with the oracle's sentences where something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the faults (default: another each time)")
    parser.add_argument("--minutes", type=float, default=10, help="of faults (default: %(default)s)")
    parser.add_argument("--databases", type=int, default=9, help="how many (default: %(default)s)")
    options = parser.parse_args()
    with sea(options.databases) as over:
        try:
            Storm(over, options.seed, say=lambda line: print(line, flush=True)).run(60 * options.minutes)
        except AssertionError as wrong:
            print(wrong)
            Path("storm.log").write_text(over.operator.log(), encoding="utf-8")
            print("what the operator said: storm.log")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
