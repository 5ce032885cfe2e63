"""Plain Alembic in the application's own environment: what its command line does, and the URL of a database.

`python plain.py HOW URL ARGUMENTS…`: `command` is Alembic's command line; `connection` gives env.py a connection, and
`flask` the application's context, as the application's own program does; `revisions` writes the ids from the first to
the last. The ini file names another database, or none; sqlalchemy.url is what the application's own program would set,
too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic.config import CommandLine, Config
from alembic.script import ScriptDirectory


def main() -> None:
    """See the module."""
    how, url, *arguments = sys.argv[1:]
    line = CommandLine(prog="alembic")
    options = line.parser.parse_args(arguments)
    file = options.config if isinstance(options.config, str) else options.config[0]
    config = Config(file, ini_section=options.name, cmd_opts=options)
    if not config.get_main_option("script_location"):  # as Flask-Migrate has it
        config.set_main_option("script_location", str(Path(file).parent))
    if how == "revisions":
        walked = ScriptDirectory.from_config(config).walk_revisions("base", options.revision)
        found = [one.revision for one in walked]
        sys.stdout.write("\n".join(reversed(found)))
        return
    if url:
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    if how == "connection":
        from sqlalchemy import create_engine

        with create_engine(url).begin() as connection:
            config.attributes["connection"] = connection
            line.run_cmd(config, options)
    elif how == "flask":
        from flask.cli import ScriptInfo

        with ScriptInfo(os.environ["FLASK_APP"]).load_app().app_context():
            line.run_cmd(config, options)
    else:
        line.run_cmd(config, options)


main()
