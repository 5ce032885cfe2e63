"""Why an env.py could not run, in words that name the place in the project's files and the field that helps."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ...contract.reasons import Reason
from ..database.driver import READ_ONLY
from ..database.sql_errors import ADVICE, RETRYABLE, find_sql_error, print_error
from ..errors import RunFailed
from ..terms import AND_A_NEW_IMAGE, LOG, PATH, REQUIREMENTS, SECRET

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,80}")
_SETTINGS = (
    f"Set what it needs: {SECRET}'s connection in spec.migrations.connectionEnv, everything else in spec.job.env."
)


def explain(error: BaseException, script: ScriptDirectory, *, lost: bool) -> RunFailed:
    """The failure of env.py, outside of the steps; `lost`: the session that was lent is closed."""
    if isinstance(error, RunFailed):
        return error
    sql = find_sql_error(error)
    where = place_of(error, script)
    if sql is not None and sql.sqlstate == READ_ONLY:
        return RunFailed(
            Reason.ENVIRONMENT_FAILED,
            f"Running {where}: it writes through its own connection (made by a driver, or by an engine's `creator`), "
            "which is read-only when a plan is made or was approved",
            "Use an engine that connects by its URL: the plan shows what it sends.",
            sqlstate=sql.sqlstate,
        )
    if sql is not None and not sql.sqlstate and not lost:
        return RunFailed(
            Reason.ENVIRONMENT_FAILED,
            f"Running {where}: its own connection (made by a driver, or by an engine's `creator`) failed; "
            "sqlalchemy.url has no password here",
            "Use an engine that connects by its URL: it gets the runner's connection.",
        )
    if sql is not None:
        passing = sql.reason in RETRYABLE or sql.reason in (Reason.CONNECTION_LOST, Reason.PERMISSION_DENIED)
        return RunFailed(
            sql.reason if passing else Reason.ENVIRONMENT_FAILED,
            f"Running {where}: a statement of its own failed: {sql.words()}",
            ADVICE.get(sql.reason, "Correct env.py, or what it conflicts with in the database."),
            sqlstate=sql.sqlstate,
        )
    print_error(error, words=False)  # a settings class tells the environment's values, for one
    found, todo = _found(error)
    return RunFailed(Reason.ENVIRONMENT_FAILED, f"Running {where}: {found}", todo)


def place_of(error: BaseException, script: ScriptDirectory) -> str:
    """Where in the project's own files it happened; the last line there that led to it."""
    env = Path(script.dir) / "env.py"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    libraries = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    own = str(Path(__file__).parents[2])
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = frame.filename
        # A library's compiled module has a path in the source tree that it was built from.
        there = file.endswith(".py") and Path(file).is_file()
        if there and not file.startswith((*libraries, own, "<")):
            name = os.path.relpath(file) if file.startswith(os.getcwd() + os.sep) else Path(file).name  # noqa: PTH109
            return f"{name}, line {frame.lineno}"
    return str(env)


def _found(error: BaseException) -> tuple[str, str]:
    """What was found, and what to do."""
    lacked = _lacked_variables(error)
    if lacked:
        several = len(lacked) > 1
        return f"it needs the environment variable{'s' if several else ''} {', '.join(lacked)}", _SETTINGS
    if isinstance(error, ModuleNotFoundError):
        return (
            f"the module {error.name} is missing",
            f"Add it to {REQUIREMENTS}, or name the interpreter that has it in spec.migrations.python, and "
            f"the folder of the project in {PATH}.",
        )
    if isinstance(error, OSError) and error.filename:
        return (
            f"{type(error).__name__} at {str(error.filename)[:200]}",
            "Add the file to the image, or mount it with spec.job.volumes and spec.job.volumeMounts; the image's "
            "own files are read-only.",
        )
    text = str(error)
    if "greenlet" in text:
        return "the module greenlet is missing, which SQLAlchemy's asyncio extension needs", "Add SQLAlchemy[asyncio]."
    if isinstance(error, CommandError):
        return text.rstrip("."), f"Correct env.py{AND_A_NEW_IMAGE}."
    return (
        f"{type(error).__name__}; the traceback is in the {LOG}",
        f"Correct env.py, or what it imports. {_SETTINGS}",
    )


def _lacked_variables(error: BaseException) -> list[str]:
    """Environment variables that a lookup or a settings class did not find."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, KeyError) and frames and frames[-1].filename.endswith(("os.py", "<frozen os>")) and error.args:
        return [name for name in map(str, error.args[:1]) if _NAME.fullmatch(name)]
    errors: Any = getattr(error, "errors", None)
    if type(error).__name__ != "ValidationError" or not callable(errors):
        return []
    missing = [one["loc"] for one in errors() if one.get("type") in ("missing", "value_error.missing")]
    names = ["__".join(str(part) for part in location) for location in missing if location]
    return sorted({name.upper() for name in names if _NAME.fullmatch(name)})
