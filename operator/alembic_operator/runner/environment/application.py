"""Flask's application, for an env.py of Flask-Migrate: `flask db` loads it, and holds its context around everything.

Flask is imported here alone, and for an env.py alone that has failed for want of an application context.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ...contract.reasons import Reason
from ..database.sql_errors import print_error
from ..errors import RunFailed
from ..terms import PATH

_WANTED = ("outside of application context", "push an application context")  # Flask's words, Flask-SQLAlchemy 2's
_SHOWN = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")
_MODULE = re.compile(r"No module named '([A-Za-z0-9_.]{1,80})'")


def lacks_application(error: BaseException | None) -> bool:
    """Whether code has failed since Flask has no application context."""
    while error is not None:
        if isinstance(error, RuntimeError) and any(words in str(error) for words in _WANTED):
            return True
        error = error.__cause__ or error.__context__
    return False


class Application:
    """The project's application, loaded as the command `flask` loads it, when it is first needed."""

    def __init__(self) -> None:
        self._loaded: Any = None

    @contextmanager
    def context(self) -> Iterator[None]:
        """A new context of the application.

        Raises:
            RunFailed: EnvironmentFailed, where Flask finds none.
        """
        if self._loaded is None:
            self._loaded = _load()
        with self._loaded.app_context():
            yield


def _load() -> Any:
    cli = import_module("flask.cli")
    os.environ["FLASK_RUN_FROM_CLI"] = "true"  # a module that calls app.run() does not serve
    if import_module("flask.helpers").get_load_dotenv(True):
        cli.load_dotenv()
    named = os.environ.get("FLASK_APP", "")
    try:
        return cli.ScriptInfo(app_import_path=named or None).load_app()
    except cli.NoAppException as error:
        print_error(error, words=False)
        raise _not_found(named, str(error)) from None


def _not_found(named: str, words: str) -> RunFailed:
    module = _MODULE.search(words)
    if not named:
        found = f"FLASK_APP is not set, and {os.getcwd()} has no wsgi.py or app.py with an application"  # noqa: PTH109
    else:
        shown = f'"{named}"' if _SHOWN.fullmatch(named) else "what is set (not shown)"
        why = f": the module {module[1]} is missing" if module else ""
        found = f"Flask finds none from FLASK_APP, {shown}{why}"
    return RunFailed(
        Reason.ENVIRONMENT_FAILED,
        f"Loading the application for env.py, which needs Flask's application context: {found}",
        "Set FLASK_APP in spec.job.env as for the command flask db, such as shop or shop:create_app, and "
        f"{PATH} to the folder that it runs in.",
    )
