"""Which driver plain Alembic would take where the image has both: what is stored may differ by it.

psycopg 3 sends values with a type, psycopg2 as text that the server reads as what it needs. So a revision that writes
a text into a column of type json runs with the one and fails with the other.
"""

from __future__ import annotations

import configparser
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from ...contract.request import RunRequest

_SYNCHRONOUS = {"psycopg": "psycopg", "psycopg_async": "psycopg", "asyncpg": "psycopg", "psycopg2": "psycopg2"}
_URL = "sqlalchemy.url"


def preferred_driver(request: RunRequest) -> str:
    """The driver that a URL of the project names: in spec.migrations.connectionEnv, or in the ini file.

    Where none does, it is SQLAlchemy's own for `postgresql://`.
    """
    schemes = [variable.scheme for variable in request.connection_env if variable.part == "uri"]
    for scheme in (*schemes, _written(request)):
        dialect, _, driver = scheme.partition("+")
        if dialect == "postgresql" and driver in _SYNCHRONOUS:
            return _SYNCHRONOUS[driver]
    return _default()


def _written(request: RunRequest) -> str:
    """The scheme of the ini file's URL; "" where there is none, and where the file cannot be read, which ends a run."""
    if not request.config_file or request.config_file.endswith(".toml"):
        return ""
    parser = configparser.RawConfigParser()
    with suppress(OSError, UnicodeDecodeError, configparser.Error):
        parser.read(Path(request.path) / request.config_file, "utf-8")
    return parser.get(request.section, _URL, fallback="").partition("://")[0]


def _default() -> str:
    with suppress(metadata.PackageNotFoundError):  # its want is told of where it is imported
        major, minor, *_ = metadata.version("SQLAlchemy").split(".")
        return "psycopg2" if (int(major), int(minor)) < (2, 1) else "psycopg"
    return ""
