"""`alembic-operator`: `plan` makes the plan that the cluster would make, `run` is the operator."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Sequence

from alembic_operator.cli.arguments import parse
from alembic_operator.cli.failure import CannotPlan
from alembic_operator.cli.interrupts import Interrupted
from alembic_operator.cli.plan import plan


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks for.

    Returns:
        The exit code: 0 for no finding that counts, 1 for findings, 2 where no plan could be made, 130 after an
        interrupt.
    """
    options = parse(argv)
    if options.command == "run":
        runpy.run_module("alembic_operator.control", run_name="__main__", alter_sys=True)
        return 0
    try:
        return plan(options)
    except CannotPlan as error:
        sys.stderr.write(f"alembic-operator plan: {error}\n")
        return 2
    except (Interrupted, KeyboardInterrupt):
        sys.stderr.write(
            "alembic-operator plan: interrupted; the scratch database was dropped, the target was only read\n"
        )
        return 130
    except Exception as error:
        traceback.print_tb(error.__traceback__)  # without its words, which may quote a URL
        sys.stderr.write(f"alembic-operator plan: {type(error).__name__} in the tool itself, see above. Report it.\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
