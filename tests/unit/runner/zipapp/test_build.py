"""The zipapp: the same bytes each time, and only what belongs in it."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from alembic_operator.runner.zipapp.build import build


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zipapp") / "runner.pyz"
    build(path)
    return path


def test_same_bytes_and_their_hash_each_time(zipapp: Path, tmp_path: Path) -> None:
    sha256 = build(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == zipapp.read_bytes()
    assert sha256 == hashlib.sha256(zipapp.read_bytes()).hexdigest()


def test_holds_runner_contract_and_helpers_and_nothing_of_the_operator(zipapp: Path) -> None:
    names = zipfile.ZipFile(zipapp).namelist()
    assert {name.split("/")[0] for name in names} == {"__main__.py", "alembic_operator", "bundled"}
    assert {name.split("/")[1] for name in names if name.startswith("alembic_operator/")} == {
        "__init__.py",
        "contract",
        "runner",
    }
    assert "alembic_operator/runner/database/journal.sql" in names
    assert "alembic_operator/runner/zipapp/build.py" not in names
    assert "alembic_operator/contract/bootstrap.py" not in names
    assert zipapp.stat().st_size < 750_000  # as base64 1,000,000 of the 1,048,576 bytes that a ConfigMap holds


def test_every_file_parses_as_python_3_9(zipapp: Path) -> None:
    archive = zipfile.ZipFile(zipapp)
    sources = [name for name in archive.namelist() if name.endswith(".py")]
    assert len(sources) > 20
    for name in sources:
        ast.parse(archive.read(name), name, feature_version=(3, 9))


def test_writes_the_file_and_prints_its_hash_when_run_as_a_command(tmp_path: Path) -> None:
    path = tmp_path / "r.pyz"
    done = subprocess.run(
        [sys.executable, "-m", "alembic_operator.runner.zipapp.build", "-o", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}\n"
