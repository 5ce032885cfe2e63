"""Break the product on purpose, and see that the tests notice: `python -m tests.mutants [WORD…]`.

Each fault of the list is made in a copy of the repository, and the tests named beside it must fail there. A word picks
those that have it in their description, file or tests.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from .faults import FAULTS
from .mutant import named
from .trial import Verdict, attempt, copy_of_the_repository, trouble_without_a_fault, workplace

AT_ONCE = 2


def main(words: Sequence[str]) -> int:
    """Print the table; 0 when every fault was noticed."""
    mutants = named(FAULTS, words)
    if not mutants:
        sys.exit(f"no fault has one of these words: {' '.join(words)}")
    with workplace() as folder:
        unchanged = copy_of_the_repository(folder)
        print(f"{len(mutants)} faults; first their tests without any", flush=True)
        if trouble := trouble_without_a_fault(unchanged, mutants):
            sys.exit(f"the tests fail without a fault, so that they show nothing:\n{trouble}")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            verdicts = []
            for verdict in pool.map(lambda one: attempt(one, unchanged), mutants):
                verdicts.append(verdict)
                print(line(verdict), flush=True)
    wrong = [one for one in verdicts if not one.caught_by]
    print(f"{len(verdicts) - len(wrong)} of {len(verdicts)} faults were noticed")
    return 1 if wrong else 0


def line(verdict: Verdict) -> str:
    """A row of the table."""
    mutant = verdict.mutant
    return f"{mutant.path}: {mutant.fault}\n    {verdict.seconds:5.1f} s  {verdict.caught_by or verdict.trouble}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD", help="of the faults to try; all of them without one")
    sys.exit(main(parser.parse_args().words))
