"""`python -m tests.real_projects [NAME…]`: installs, migrates and compares; writes docs/real-projects.md.

Those that are not named keep what was found before. An environment that was made for a run stays in the user's cache,
unless `--remove` is given. The exit code is 1 where an application cannot be installed, or came less far than before.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cluster.postgres import Postgres
from tests.component.runner.compiled_zipapp import compiled_zipapp
from tests.component.runner.databases import PASSWORD, USER
from tests.component.runner.planner import trust

from . import page
from .application import Application
from .applications import APPLICATIONS
from .follow import PatientRunner
from .install import install, remove
from .steps import Servers, follow


def main() -> int:
    """Follow those that are named, or all; the exit code."""
    names = [one for one in sys.argv[1:] if one != "--remove"]
    chosen = [one for one in APPLICATIONS if not names or one.name in names]
    worse = 0
    with tempfile.TemporaryDirectory(prefix="real-") as directory, Postgres(15) as server, Postgres(15) as shadow:
        server.create_role(USER, PASSWORD)
        trust(shadow)
        zipapp, sha256 = compiled_zipapp(Path(directory))
        for application in chosen:
            runs = Path(directory) / application.name
            worse += not _one(application, Servers(server, shadow), PatientRunner(zipapp, sha256, runs))
            if "--remove" in sys.argv:
                remove(application)
    page.write()
    return 1 if worse else 0


def _one(application: Application, servers: Servers, runner: PatientRunner) -> bool:
    """Follow one; whether it came as far as the last time."""
    try:
        installed = install(application)
    except subprocess.CalledProcessError:
        sys.stdout.write(f"{application.name} cannot be installed\n")
        sys.stdout.flush()
        return False
    runner.python = str(installed.python)
    try:
        found = follow(application, installed, servers, runner)
    finally:
        runner.close()
    sys.stdout.write(page.line(found) + "\n")
    sys.stdout.flush()
    return page.keep(found)


sys.exit(main())
