"""Environment variables that env.py's settings need, from the Secret: set in this process, and nowhere else."""

from __future__ import annotations

import os
import re

from ...contract.reasons import Reason
from ...contract.request import ConnectionVariable
from ..database.secret import Target
from ..errors import RunFailed
from ..terms import ARGUMENTS

_USUAL = "DATABASE_URL"  # what most projects read; the image's own, or that of job.env, is left alone
_REFERENCE = re.compile(r"\$\$\(|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


def set_variables(variables: list[ConnectionVariable], target: Target) -> None:
    """Give the process what spec.migrations.connectionEnv asks for, and DATABASE_URL where it has none."""
    os.environ.setdefault(_USUAL, target.uri())
    for variable in variables:
        os.environ[variable.name] = _value(variable, target)


def expand_arguments(arguments: list[str]) -> list[str]:
    """Put the process's variables into `$(NAME)`, as Kubernetes does in a container's args; `$$(` stands for `$(`.

    An env.py may take its URL from `-x`, and a manifest has no passwords.

    Raises:
        RunFailed: InvalidSpec, for a variable that is not set.
    """
    return [_REFERENCE.sub(_expand, one) for one in arguments]


def _expand(reference: re.Match[str]) -> str:
    name = reference[1]
    if name is None:
        return "$("
    if name not in os.environ:
        raise RunFailed(
            Reason.INVALID_SPEC,
            f"Reading {ARGUMENTS}: $({name}) refers to an environment variable that is not set. Set {name} in "
            "spec.migrations.connectionEnv or spec.job.env, or write $$( for the literal text.",
        )
    return os.environ[name]


def _value(variable: ConnectionVariable, target: Target) -> str:
    parts = {"host": target.host, "port": target.port, "name": target.dbname, "user": target.user}
    parts["password"] = target.password
    return target.uri(variable.scheme) if variable.part == "uri" else parts[variable.part]
