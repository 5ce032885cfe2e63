"""A configuration that is missing or broken: the file that matters is named, and another one that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.runner.environment.configuration import open_directory
from alembic_operator.runner.errors import RunFailed

INI = "[alembic]\nscript_location = migrations\n"
TOML = '[project]\nname = "shop"\n[tool.alembic]\nscript_location = "migrations"\n'


def _refused(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    (folder / "migrations").mkdir(exist_ok=True)
    owner = Owner("c", "shop", "db", "uid")
    request = RunRequest(RunKind.PLAN, owner, 1, "job", "head", "s", path=str(folder), config_file=name)
    with pytest.raises(RunFailed) as refused:
        open_directory(request, None)
    return refused.value.failure.message.replace(str(folder), "/app")


@pytest.mark.parametrize(
    ("there", "text", "proposed"),
    [
        ("pyproject.toml", TOML, "pyproject.toml there has Alembic's configuration: set spec.migrations.configFile"),
        ("pyproject.toml", TOML + "= broken", "pyproject.toml there has"),
        ("pyproject.toml", "[tool.alembic.x]", "pyproject.toml there has"),
        ("setup.cfg", INI, "setup.cfg there has"),
        ("prod.ini", INI, "prod.ini there has"),
        ("db/alembic.ini", INI, "/app/db/alembic.ini has Alembic's configuration: set spec.migrations.path to its"),
    ],
)
def test_other_file_is_proposed_when_the_one_named_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str, text: str, proposed: str
) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text(text)
    message = _refused(tmp_path, "alembic.ini", monkeypatch)
    assert message.startswith("Reading /app/alembic.ini in the image: the file does not exist. ")
    assert f"spec.migrations.configFile (its name). {proposed}" in message


@pytest.mark.parametrize("text", ["[project]\n", "# [tool.alembic]\n", "[tool.alembics]\n", "\udcff"])
def test_nothing_is_proposed_when_no_file_has_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert _refused(tmp_path, "alembic.ini", monkeypatch).endswith("spec.migrations.configFile (its name).")


def test_pyproject_is_named_when_it_is_broken_beside_an_ini_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alembic.ini").write_text(INI)
    (tmp_path / "pyproject.toml").write_text(TOML + "password geheim\n")
    assert _refused(tmp_path, "alembic.ini", monkeypatch) == (
        "Reading /app/pyproject.toml in the image, which Alembic reads beside alembic.ini: TOMLDecodeError in line 5. "
        "Correct the file, and build a new image."
    )


def test_ini_file_is_proposed_when_pyproject_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alembic.ini").write_text(INI)
    (tmp_path / "pyproject.toml").write_text("password geheim\n")
    assert _refused(tmp_path, "pyproject.toml", monkeypatch) == (
        "Reading /app/pyproject.toml in the image: TOMLDecodeError in line 1. Correct the file, and build a new image. "
        "alembic.ini there has Alembic's configuration: set spec.migrations.configFile to it."
    )


def test_pyproject_is_proposed_when_the_ini_file_says_nothing_of_alembic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alembic.ini").write_text("[loggers]\nkeys = root\n")
    (tmp_path / "setup.cfg").write_text(INI)
    message = _refused(tmp_path, "alembic.ini", monkeypatch)
    assert "No 'script_location' key found in configuration" in message
    assert message.endswith("setup.cfg there has Alembic's configuration: set spec.migrations.configFile to it.")
