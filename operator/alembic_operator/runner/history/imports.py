"""Importing the image's Alembic and SQLAlchemy: what is missing or too old is a result with its own reason."""

from __future__ import annotations

import logging

from ...contract.reasons import Reason
from ..errors import RunFailed
from ..terms import IMAGE, REQUIREMENTS

OLDEST_ALEMBIC = (1, 13)
OLDEST_SQLALCHEMY = (2, 0)


def check_alembic() -> None:
    """Import Alembic and SQLAlchemy, and check their versions.

    Raises:
        RunFailed: AlembicMissing, AlembicTooOld.
    """
    try:
        import alembic  # noqa: PLC0415
        import sqlalchemy  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise RunFailed(
            Reason.ALEMBIC_MISSING,
            f"Importing Alembic in the {IMAGE}: the module {error.name} is missing. Add alembic to "
            f"{REQUIREMENTS}, or name the interpreter that has it in spec.migrations.python (such as "
            "/app/.venv/bin/python).",
        ) from None
    for name, found, oldest in (
        ("Alembic", alembic.__version__, OLDEST_ALEMBIC),
        ("SQLAlchemy", sqlalchemy.__version__, OLDEST_SQLALCHEMY),
    ):
        if version_of(found) < oldest:
            raise RunFailed(
                Reason.ALEMBIC_TOO_OLD,
                f"Importing {name} in the {IMAGE}: it is version {found}, and the runner needs {oldest[0]}.{oldest[1]} "
                f"or newer. Upgrade it in {REQUIREMENTS}.",
            )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s [%(name)s] %(message)s")


def version_of(text: str) -> tuple[int, int]:
    """Major and minor of a version: (1, 13) for "1.13.0b2"."""
    major, minor = [*text.split("."), "0", "0"][:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)
