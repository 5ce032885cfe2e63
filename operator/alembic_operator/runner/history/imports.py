"""Importing the image's Alembic and SQLAlchemy: what is missing or too old is a result with its own reason."""

from __future__ import annotations

import logging

from ...contract.reasons import Reason
from ..errors import RunFailed

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
            f"Importing Alembic in the image: the module {error.name} is missing. Add alembic to the image's "
            "requirements, or name the interpreter that has it in spec.migrations.python (such as "
            "/app/.venv/bin/python).",
        ) from None
    for name, found, oldest in (
        ("Alembic", alembic.__version__, OLDEST_ALEMBIC),
        ("SQLAlchemy", sqlalchemy.__version__, OLDEST_SQLALCHEMY),
    ):
        if version_of(found) < oldest:
            raise RunFailed(
                Reason.ALEMBIC_TOO_OLD,
                f"Importing {name} in the image: it is version {found}, and the runner needs {oldest[0]}.{oldest[1]} "
                "or newer. Upgrade it in the image's requirements.",
            )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s [%(name)s] %(message)s")


def version_of(text: str) -> tuple[int, int]:
    """Major and minor of a version: (1, 13) for "1.13.0b2"."""
    major, minor = [*text.split("."), "0", "0"][:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)
