"""Tests in forks of the process that collected them: `pytest -p tests.forks --forks 2`.

A worker of pytest-xdist is an interpreter that collects every test again, which costs more than many a level's tests. A
fork begins with them collected. It takes one file after the other, and what pytest tells its plugins there about a test
is told again in the parent: its lines, -x and the exit code are those of pytest without forks.
"""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress
from itertools import groupby
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import SimpleNamespace
from typing import Any
from warnings import WarningMessage

import pytest

_Location = tuple[str, int | None, str]
_Told = list[tuple[str, dict[str, Any]]]  # hooks with their arguments; a report as pytest writes it for a pipe

_FORKING = get_context("fork")
_TICKET = 2  # bytes of the number of a file, which a fork takes by reading it from the pipe that all share


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the option."""
    parser.addoption("--forks", type=int, default=0, metavar="N", help="run the tests in N forks of this process")


def pytest_configure(config: pytest.Config) -> None:
    """Take over the loop over the tests where forks are asked for."""
    if config.option.forks:
        gc.disable()  # until the tests run: what is collected stays
        config.pluginmanager.register(Forks(config.option.forks))


class _Telling:
    """In a fork: keeps what is told of a test, until the parent is told."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.told: _Told = []

    def pytest_runtest_logstart(self, nodeid: str, location: _Location) -> None:
        """Keep that a test begins."""
        self.told = [("pytest_runtest_logstart", {"nodeid": nodeid, "location": location})]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of a phase."""
        self.told.append(_report(self._config, report))

    def pytest_runtest_logfinish(self, nodeid: str, location: _Location) -> None:
        """Keep that the test has ended."""
        self.told.append(("pytest_runtest_logfinish", {"nodeid": nodeid, "location": location}))

    def pytest_warning_recorded(self, warning_message: WarningMessage, when: str, nodeid: str) -> None:
        """Keep the text of a warning, which comes last; the warning itself may hold what no pipe takes."""
        told = warning_message
        plain = WarningMessage(str(told.message), told.category, told.filename, told.lineno)
        arguments = {"warning_message": plain, "when": when, "nodeid": nodeid, "location": None}
        self.told.append(("pytest_warning_recorded", arguments))


def _report(config: pytest.Config, report: pytest.TestReport) -> tuple[str, dict[str, Any]]:
    data = config.hook.pytest_report_to_serializable(config=config, report=report)
    return "pytest_runtest_logreport", {"report": data}


class Forks:
    """The plugin that runs the tests so, in the process that collected them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._forks: dict[Connection, ForkProcess] = {}
        self._begun: dict[Connection, tuple[str, _Location]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests of each file in one of the forks, and what takes long first."""
        gc.freeze()  # else the first collection in a fork copies all that was collected here
        gc.enable()
        if session.testsfailed or session.config.option.collectonly:
            return None  # pytest's own loop says why nothing runs
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # one for all, removed as ever
        files = sorted((list(items) for _, items in groupby(session.items, lambda item: item.path)), key=_weight)
        reading, writing = os.pipe()
        os.write(writing, b"".join(number.to_bytes(_TICKET, "big") for number in reversed(range(len(files)))))
        os.close(writing)
        try:
            for number in range(self._count):
                ours, theirs = _FORKING.Pipe(duplex=False)
                fork = _FORKING.Process(target=_run, args=(session, files, reading, theirs), name=f"fork{number}")
                fork.start()
                theirs.close()
                self._forks[ours] = fork
            self._tell(session)
        finally:
            for fork in self._forks.values():
                fork.terminate()
            for fork in self._forks.values():
                fork.join()
            os.close(reading)
        return True

    def _tell(self, session: pytest.Session) -> None:
        """Tell what the forks tell until all have ended, or until it is enough."""
        left = len(session.items)
        while self._forks:
            for fork in wait(list(self._forks)):
                assert isinstance(fork, Connection)
                try:
                    message = fork.recv()
                except EOFError:
                    message = self._ended(session.config, fork)
                if isinstance(message, tuple):
                    self._begun[fork] = message
                    continue
                left -= self._begun.pop(fork, None) is not None
                _replay(session, message)
        if left:
            session.shouldfail = f"{left} tests did not run: the process that had taken their file died"
            raise session.Failed(session.shouldfail)

    def _ended(self, config: pytest.Config, fork: Connection) -> _Told:
        process = self._forks.pop(fork)
        process.join()
        if fork not in self._begun:
            return []
        nodeid, location = self._begun[fork]
        text = f"the process that ran this test died of it, with exit code {process.exitcode}"
        return [_report(config, pytest.TestReport(nodeid, location, {}, "failed", text, "call"))]


def _weight(items: list[pytest.Item]) -> int:
    """A file of one or two tests has a search or a look at everything; else it is their number that counts."""
    return len(items) if len(items) > 2 else 10_000


def _replay(session: pytest.Session, told: _Told) -> None:
    config = session.config
    for name, arguments in told:
        if "report" in arguments:
            data = arguments["report"]
            arguments["report"] = config.hook.pytest_report_from_serializable(config=config, data=data)
        hook = getattr(config.hook, name)
        if hook.is_historic():
            hook.call_historic(kwargs=arguments)
        else:
            hook(**arguments)
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _run(session: pytest.Session, files: list[list[pytest.Item]], tickets: int, parent: Connection) -> None:
    """What a fork does: all tests of one file after the other."""
    plugins, writer = session.config.pluginmanager, session.config.get_terminal_writer()
    capture = plugins.getplugin("capturemanager")
    capture.stop_global_capturing()  # its file is shared with the other forks
    capture.start_global_capturing()
    capture.suspend_global_capture()
    plugins.unregister(name="terminalreporter")
    plugins.register(SimpleNamespace(_tw=writer), "terminalreporter")  # for what writes past the reports
    plugins.register(telling := _Telling(session.config))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        try:
            while ticket := os.read(tickets, _TICKET):
                items = files[int.from_bytes(ticket, "big")]
                for item, following in zip(items, [*items[1:], None], strict=True):
                    parent.send((item.nodeid, item.location))
                    session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    parent.send(telling.told)
        finally:
            for ending in (signal.SIGINT, signal.SIGTERM):
                signal.signal(ending, signal.SIG_IGN)  # while the fixtures put away what they made
            session._setupstate.teardown_exact(None)
