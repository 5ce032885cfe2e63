"""Plain Alembic in the application's own environment: what its command line does, and the URL of a database.

`python plain.py WHAT HOW URL ARGUMENTS…`: `run` runs the arguments, `revisions` writes the ids from the first to the
target. `command` is Alembic's command line; `connection` gives env.py a connection, and `flask` the application's
context, as the application's own program does. The ini file names another database, or none; sqlalchemy.url is what
the application's own program would set, too.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import CommandLine, Config
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator


def main() -> None:
    """See the module."""
    what, how, url, *arguments = sys.argv[1:]
    line = CommandLine(prog="alembic")
    options = line.parser.parse_args(arguments)
    file = options.config if isinstance(options.config, str) else options.config[0]
    config = Config(file, ini_section=options.name, cmd_opts=options)
    if not config.get_main_option("script_location"):  # as Flask-Migrate has it
        config.set_main_option("script_location", str(Path(file).parent))
    if url:
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    with _application() if how == "flask" else nullcontext():
        if what == "revisions":
            walked = ScriptDirectory.from_config(config).walk_revisions("base", options.revision)
            found = [one.revision for one in walked]
            sys.stdout.write("\n" + " ".join(reversed(found)))  # an application may have written before
            return
        with _connection(config, url) if how == "connection" else nullcontext():
            line.run_cmd(config, options)


def _application() -> AbstractContextManager[object]:
    from flask.cli import ScriptInfo

    context: AbstractContextManager[object] = ScriptInfo(os.environ["FLASK_APP"]).load_app().app_context()
    return context


@contextmanager
def _connection(config: Config, url: str) -> Iterator[None]:
    from sqlalchemy import create_engine

    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        yield


main()
