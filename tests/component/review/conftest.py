"""The fixtures of plan runs."""

from __future__ import annotations

from tests.component.runner.conftest import database, project, python, runner, servers, version, warm, warms, zipapp
from tests.component.runner.planning.conftest import planner, shadows

__all__ = ["database", "planner", "project", "python", "runner", "servers", "shadows", "version", "warm"]
__all__ += ["warms", "zipapp"]
