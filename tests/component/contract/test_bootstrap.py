"""The text of the Job's command, run by a real interpreter; and the lock keys, which must never change."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from alembic_operator.contract import job_env
from alembic_operator.contract.bootstrap import bootstrap
from alembic_operator.contract.locks import history_key, lock_key
from alembic_operator.contract.result import RunResult

REQUEST = json.dumps({"kind": "Apply", "target": {"uid": "u-1"}, "generation": 4, "job": "db-1"})


def _start(
    tmp_path: Path, main: str, *, sha256: str = "", prelude: str = "", missing: bool = False
) -> subprocess.Popen[str]:
    """Run the bootstrap against a zipapp whose __main__ is this text."""
    zipapp = tmp_path / "runner.pyz"
    if not missing:
        with zipfile.ZipFile(zipapp, "w") as archive:
            archive.writestr("__main__.py", main)
        sha256 = sha256 or hashlib.sha256(zipapp.read_bytes()).hexdigest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_env, "RUNNER_PATH", str(zipapp))
        patch.setattr(job_env, "TERMINATION_LOG", str(tmp_path / "log"))
        text = bootstrap(sha256)
    env = {"PATH": os.environ["PATH"], job_env.REQUEST_VARIABLE: REQUEST}
    return subprocess.Popen(
        [sys.executable, "-c", prelude + text],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _result(tmp_path: Path) -> RunResult:
    result = RunResult.from_json((tmp_path / "log").read_text())
    assert (result.kind.value, result.target_uid, result.generation, result.job) == ("Apply", "u-1", 4, "db-1")
    assert result.failure is not None
    return result


def test_runs_the_zipapp_without_the_working_directory_when_the_hash_is_right(tmp_path: Path) -> None:
    (tmp_path / "logging.py").write_text("raise SystemExit('the shadow was imported')")
    process = _start(tmp_path, "import sys, logging\nprint(sys.argv, '' in sys.path)\nsys.exit(3)")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.strip(), err) == (3, f"['{tmp_path}/runner.pyz'] False", "")
    assert not (tmp_path / "log").exists()


def test_sets_of_strings_have_one_order_when_nobody_fixed_it(tmp_path: Path) -> None:
    found = set()
    for _ in range(3):
        out, _err = _start(tmp_path, "print({'b', 'a', 'd', 'c', 'f', 'e'}, __import__('os').getpid())").communicate(
            timeout=20
        )
        found.add(out.rpartition("}")[0])
    assert len(found) == 1


def test_runs_nothing_and_says_so_when_the_hash_differs(tmp_path: Path) -> None:
    process = _start(tmp_path, "print('it ran')", sha256="0" * 64)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    failure = _result(tmp_path).failure
    assert failure is not None
    assert failure.reason.value == "RunnerProtocolError"
    assert "It was not run." in failure.message
    assert err.startswith("alembic-operator: RunnerProtocolError: Starting the runner: ")


def test_says_so_when_the_zipapp_is_not_there(tmp_path: Path) -> None:
    process = _start(tmp_path, "", missing=True)
    process.communicate(timeout=20)
    failure = _result(tmp_path).failure
    assert failure is not None
    assert failure.message == (
        f"Starting the runner: {tmp_path}/runner.pyz could not be read in the pod. The operator mounts it from a "
        "ConfigMap and starts the run again."
    )


def test_refuses_when_python_is_too_old(tmp_path: Path) -> None:
    process = _start(tmp_path, "print('it ran')", prelude="import sys; sys.version_info = (3, 8, 1)\n")
    out, _ = process.communicate(timeout=20)
    assert out == ""
    failure = _result(tmp_path).failure
    assert failure is not None
    assert failure.reason.value == "InvalidSpec"
    assert failure.message.endswith(
        "which is Python 3.8. It needs Python 3.9 or newer: name another interpreter of the image in "
        "spec.migrations.python."
    )


def test_says_interrupted_when_the_signal_comes_before_the_runner_has_its_handler(tmp_path: Path) -> None:
    process = _start(tmp_path, "import threading\nprint('up', flush=True)\nthreading.Event().wait(20)")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    failure = _result(tmp_path).failure
    assert failure is not None
    assert failure.reason.value == "Interrupted"
    assert failure.message == (
        "The pod was terminated before the runner reported a result. The next run reads the database first."
    )


def test_writes_its_result_when_the_signal_comes_while_it_stops(tmp_path: Path) -> None:
    interrupting = (
        "import json, os, signal\ndumps = json.dumps\n"
        "def interrupted(body):\n    os.kill(os.getpid(), signal.SIGTERM)\n    return dumps(body)\n"
        "json.dumps = interrupted\n"
    )
    process = _start(tmp_path, "print('it ran')", sha256="0" * 64, prelude=interrupting)
    process.communicate(timeout=20)
    failure = _result(tmp_path).failure
    assert failure is not None
    assert failure.reason.value == "RunnerProtocolError"


def test_holds_no_value_of_a_run() -> None:
    assert bootstrap("a" * 64) == bootstrap("a" * 64)
    assert len(bootstrap("a" * 64)) < 3000


def test_lock_keys_stay_as_they_are() -> None:
    assert history_key("public", "alembic_version") == "public.alembic_version"
    assert lock_key("public.alembic_version") == LOCK_KEY_OF_DEFAULT
    assert -(2**31) <= lock_key("x") < 2**31


LOCK_KEY_OF_DEFAULT = -1727810062
