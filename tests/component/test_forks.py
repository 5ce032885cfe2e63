"""Tests in forks: what pytest prints, and how it ends, is what it would be without."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = """
import os, warnings
import pytest

@pytest.mark.parametrize("number", range(5))
def test_passes(number, tmp_path):
    assert not list(tmp_path.iterdir())

def test_fails():
    print("seen on the way")
    warnings.warn("look out")
    assert 1 == 2

def test_is_skipped():
    pytest.skip("not here")
"""
DYING = """
import os

def test_passes():
    pass

def test_dies():
    os._exit(3)

def test_never_runs():
    pass
"""
WAITING = """
import os, pathlib, time
import pytest

@pytest.fixture
def put_away():
    yield
    pathlib.Path("put-away").touch()

def test_waits(put_away):
    pathlib.Path("pid").write_text(str(os.getpid()))
    os.write(int(os.environ["BEGUN"]), b".")
    time.sleep(60)
"""


def pytest_of(folder: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    """A pytest with two forks over a folder of tests."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "tests.forks", "--forks=2", f"--rootdir={folder}", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables},
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[int(fd) for fd in variables.values()],
        start_new_session=True,
    )


def test_failure_and_its_output_are_told_and_all_are_counted_when_they_run_in_forks(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(SAMPLE)
    (tmp_path / "test_two.py").write_text(SAMPLE)

    process = pytest_of(tmp_path)
    out, _ = process.communicate()

    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert re.search(r"= 2 failed, 10 passed, 2 skipped, 2 warnings in ", out.splitlines()[-1])
    assert out.count("E       assert 1 == 2") == out.count("- Captured stdout call -") == 2
    assert out.count("\nseen on the way\n") == 2
    assert "UserWarning: look out" in out


def test_test_is_named_and_the_rest_is_told_when_its_process_dies(tmp_path: Path) -> None:
    (tmp_path / "test_dying.py").write_text(DYING)
    (tmp_path / "test_other.py").write_text("def test_passes():\n    pass\n")

    process = pytest_of(tmp_path)
    out, _ = process.communicate()

    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "_ test_dies _" in out
    assert "the process that ran this test died of it, with exit code 3" in out
    assert "1 tests did not run" in out
    assert re.search(r"= 1 failed, 2 passed in ", out.splitlines()[-1])


def test_nothing_more_runs_when_the_first_failure_is_enough(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_fails():\n    assert 0\n" + DYING)

    process = pytest_of(tmp_path, "-x")
    out, _ = process.communicate()

    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "stopping after 1 failures" in out
    assert "1 failed in " in out.splitlines()[-1]


def test_no_process_is_left_when_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "test_waiting.py").write_text(WAITING)
    reading, writing = os.pipe()
    process = pytest_of(tmp_path, BEGUN=str(writing))
    os.close(writing)

    assert os.read(reading, 1) == b"."
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, _ = process.communicate(timeout=30)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in out
    assert os.read(reading, 1) == b""  # the end of the last that held it
    assert (tmp_path / "put-away").exists()
    os.close(reading)
