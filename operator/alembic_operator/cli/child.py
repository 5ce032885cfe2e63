"""The child process that plans: the runner itself, with its places in a directory of the parent's.

The project's revisions are imported here, and nowhere else in the tool.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic_operator.contract import job_env

SECRET, SHADOW, RESULT = "secret", "shadow-url", "result"  # in the directory; the first holds SECRET_KEY
SECRET_KEY = "url"


def main(directory: Path) -> int:
    """One run of the runner, in the shadow that the parent has restored; without one where there is none."""
    job_env.SECRET_DIRECTORY = str(directory / SECRET)
    job_env.TERMINATION_LOG = str(directory / RESULT)
    from alembic_operator.cli.wording import ON_COMMAND_LINE  # noqa: PLC0415
    from alembic_operator.runner.database.secret import parse_uri  # noqa: PLC0415
    from alembic_operator.runner.main import main as run  # noqa: PLC0415 (after the places were moved)
    from alembic_operator.runner.planning.shadow import Shadow  # noqa: PLC0415

    if not (directory / SHADOW).exists():
        return run(words=ON_COMMAND_LINE)
    target = parse_uri((directory / SHADOW).read_text("utf-8"), "--shadow-url", "url")
    return run(lambda driver, request, path: Shadow.at(driver, target, request, path), ON_COMMAND_LINE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
