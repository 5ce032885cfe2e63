"""Environment variables that env.py's settings need, from the Secret: set in this process, and nowhere else."""

from __future__ import annotations

import os

from ...contract.request import ConnectionVariable
from ..secret import Target

_USUAL = "DATABASE_URL"  # what most projects read; the image's own, or that of job.env, is left alone


def set_variables(variables: list[ConnectionVariable], target: Target) -> None:
    """Give the process what spec.migrations.connectionEnv asks for, and DATABASE_URL where it has none."""
    os.environ.setdefault(_USUAL, target.uri())
    for variable in variables:
        os.environ[variable.name] = _value(variable, target)


def _value(variable: ConnectionVariable, target: Target) -> str:
    parts = {"host": target.host, "port": target.port, "name": target.dbname, "user": target.user}
    parts["password"] = target.password
    return target.uri(variable.scheme) if variable.part == "uri" else parts[variable.part]
