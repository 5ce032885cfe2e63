"""Every level's tests side by side: lanes for the workers, random order within them, times noted, nothing left."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import times
from tests.cluster import owned
from tests.lanes import lane_of, place_of

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Note the times, and forget those of the run before."""
    sys.dont_write_bytecode = False  # the next process need not rewrite each test file, three seconds of CPU
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a script's background: what tests interrupt inherits it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if config.option.collectonly:
        return
    if worker is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: with everything put away
        times.FILE.unlink(missing_ok=True)
    config.pluginmanager.register(times.Times())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish() -> None:
    """Compile no file of a test's own: one that it changes within a second would be taken for what it was before."""
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


@pytest.hookimpl(trylast=True)  # the workers are gone by then
def pytest_unconfigure() -> None:
    """Leave no cluster, also where a worker was killed before it could put its own away."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        owned.end_those_of(os.getpid())


@pytest.hookimpl(trylast=True)  # after the shuffling of pytest-randomly
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the lanes first that wait, and keep together what shares the fixtures of a folder."""
    lanes = {path: lane_of(path.relative_to(ROOT).as_posix()) for path in {item.path for item in items}}
    places = {path: (place_of(lane), lane, path.parent) for path, lane in lanes.items()}
    items.sort(key=lambda item: places[item.path])


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # it tells no types
    """Gives each worker a lane after the other, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    """Schedule by lanes, whatever --dist says."""
    config.option.loadscopereorder = False  # it would begin with the lanes of the most tests, not with the longest
    return Lanes(config, log)
