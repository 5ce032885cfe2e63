"""`python -m alembic_operator.control`, installed as `alembic-operator`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import NoReturn

from alembic_operator.control.app import serve
from alembic_operator.control.serve import log
from alembic_operator.control.serve.lease import LeaseLost
from alembic_operator.control.settings import InvalidSetting, Settings


def main() -> None:
    """Run one replica of the operator until it is asked to stop."""
    try:
        settings = Settings.from_env(os.environ)
    except InvalidSetting as error:
        sys.exit(f"alembic-operator: {error}")
    log.configure(settings.log_level)
    try:
        code = asyncio.run(serve(settings))
    except LeaseLost as lost:
        log.get(__name__).error(str(lost))
        _begin_anew()
    sys.exit(code)


def _begin_anew() -> NoReturn:
    """Another life with nothing of this one, in the same container.

    Where the API server is away for longer than the Lease lasts, every replica loses it. To end would have the kubelet
    wait longer before each start, up to five minutes, with the API server long back.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves, as we were started


if __name__ == "__main__":
    main()
