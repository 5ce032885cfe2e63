"""Two applications from PyPI, the quick ones of `make real-projects`: plain Alembic and the runner end alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cluster.postgres import Postgres, Version
from tests.real_projects.application import Application
from tests.real_projects.applications import QUICK
from tests.real_projects.follow import PatientRunner
from tests.real_projects.install import install
from tests.real_projects.steps import DONE, Servers, follow


@pytest.mark.parametrize("application", QUICK, ids=[one.name for one in QUICK])
def test_databases_are_equal_when_the_runner_follows_an_applications_history(
    application: Application,
    servers: Callable[[Version], Postgres],
    shadows: Callable[[Version], Postgres],
    zipapp: tuple[Path, str],
    tmp_path: Path,
) -> None:
    installed = install(application)
    runner = PatientRunner(*zipapp, tmp_path, python=str(installed.python))
    found = follow(application, installed, Servers(servers(15), shadows(15)), runner, back=False)
    runner.close()
    assert [found.plain, found.up, found.planned] == [DONE, DONE, DONE]
