"""`python -m alembic_operator.control`, installed as `alembic-operator`."""

from __future__ import annotations

import asyncio
import os
import sys

from alembic_operator.control import log
from alembic_operator.control.app import serve
from alembic_operator.control.settings import InvalidSetting, Settings


def main() -> None:
    """Run one replica of the operator until it is asked to stop."""
    try:
        settings = Settings.from_env(os.environ)
    except InvalidSetting as error:
        sys.exit(f"alembic-operator: {error}")
    log.configure(settings.log_level)
    sys.exit(asyncio.run(serve(settings)))


if __name__ == "__main__":
    main()
