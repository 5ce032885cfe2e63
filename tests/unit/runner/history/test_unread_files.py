"""Files that nobody reads: no revision is left out of a history without a word, and no code is without its source."""

from __future__ import annotations

import importlib.util
import py_compile
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from alembic_operator.contract.reasons import Reason
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.runner.environment.configuration import Configuration
from alembic_operator.runner.errors import RunFailed
from alembic_operator.runner.history.load import History, Project, load_history
from alembic_operator.runner.history.sources import Sources

REQUEST = RunRequest(RunKind.PLAN, Owner("c", "shop", "db", "uid"), 1, "job", "head", "secret", path="/app")


def _write(path: Path, revision: str, down: str | None, more: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"revision = {revision!r}\ndown_revision = {down!r}\n{more}\ndef upgrade():\n    pass\n")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "env.py").write_text("")
    _write(tmp_path / "versions" / "r1.py", "r1", None)
    return tmp_path


def _load(
    top: Path, locations: list[str] | None = None, *, recursive: bool = False, sourceless: bool = False
) -> History:
    script = ScriptDirectory(
        str(top),
        version_locations=[str(top / one) for one in locations or []],
        recursive_version_locations=recursive,
        sourceless=sourceless,
    )
    return load_history(REQUEST, Project(Configuration(REQUEST, None, ""), script, Sources()))


def _refused(top: Path, locations: list[str] | None = None, *, sourceless: bool = False) -> str:
    with pytest.raises(RunFailed) as refused:
        _load(top, locations, sourceless=sourceless)
    assert refused.value.failure.reason == Reason.INVALID_HISTORY
    return refused.value.failure.message


@pytest.mark.parametrize(
    ("file", "locations"),
    [
        ("versions/2026/r2.py", None),  # no recursive_version_locations
        ("versions/r2.py", ["core"]),  # configured locations leave the usual folder out
        ("billing/r2.py", ["core"]),
        ("r2.py", None),  # beside env.py
    ],
)
def test_file_is_named_when_it_follows_a_revision_and_is_not_read(
    top: Path, file: str, locations: list[str] | None
) -> None:
    if locations:
        (top / "versions" / "r1.py").unlink()
        _write(top / "core" / "r1.py", "r1", None)
    _write(top / file, "r2", "r1", "print('imported')\nraise SystemExit")
    assert _refused(top, locations) == (
        "Reading the migrations in /app/alembic.ini of the image: revisions that follow those that are read are in "
        f"{file}, which Alembic does not read. Name their folders in version_locations, or set "
        "recursive_version_locations; move other files out of the migrations' folder."
    )


def test_all_that_follow_are_counted_when_they_follow_one_another(top: Path) -> None:
    for number in range(2, 133):
        _write(top / "versions" / "old" / f"r{number:03}.py", f"r{number}", f"r{number - 1}")
    assert "versions/old/r002.py, versions/old/r003.py, versions/old/r004.py and 128 more, which" in _refused(top)


@pytest.mark.parametrize(
    "declared",
    [
        'revision: str = "r2"\ndown_revision: "str | None" = "r1"',
        'revision = "r2"\ndown_revision = ("x", "r1")',
        'revision = "r2"\ndown_revision = None\ndepends_on = ["r1"]',
        'PREFIX = "r"\nrevision = PREFIX + "2"\ndown_revision = "r1"',
    ],
)
def test_file_is_named_however_it_declares_what_it_follows(top: Path, declared: str) -> None:
    (top / "versions" / "new").mkdir()
    (top / "versions" / "new" / "r2.py").write_text(declared)
    assert "are in versions/new/r2.py, which Alembic does not read" in _refused(top)


def test_file_is_named_when_a_revision_follows_one_that_is_not_read(top: Path) -> None:
    _write(top / "versions" / "r3.py", "r3", "r2")
    _write(top / "versions" / "old" / "r2.py", "r2", "r1")
    message = _refused(top)
    assert 'r3.py names "r2" in down_revision, which no file declares' in message
    assert "They are in versions/old/r2.py, which Alembic does not read" in message


def test_files_are_named_when_none_is_read(top: Path) -> None:
    (top / "versions" / "r1.py").rename(top / "r1.py")
    assert ": revisions are in r1.py, which Alembic does not read" in _refused(top)


@pytest.mark.parametrize(("revision", "down"), [("x1", None), ("x2", "x1"), ("r1", None)])
def test_warns_when_what_is_not_read_follows_nothing_that_is(top: Path, revision: str, down: str | None) -> None:
    _write(top / "versions" / "other" / "file.py", revision, down)
    history = _load(top)
    assert history.graph.heads == ["r1"]
    (warning,) = history.warnings
    assert warning.startswith("Revisions are in versions/other/file.py, which Alembic does not read. ")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("versions/new/r2.py", "revision = 'r2'"),
        ("versions/new/r2.py", "def f():\n    revision = 'r2'\n    down_revision = 'r1'"),
        ("versions/new/r2.py", "revision = 'r2'\ndown_revision = 'r1'\nprint 'old Python'"),
        ("versions/new/r2.txt", "revision = 'r2'\ndown_revision = 'r1'"),
        ("versions/.old/r2.py", "revision = 'r2'\ndown_revision = 'r1'"),
        ("tenants/versions/r2.py", "revision = 'r2'\ndown_revision = 'r1'"),  # of another environment
        ("venv/lib/r2.py", "revision = 'r2'\ndown_revision = 'r1'"),
    ],
)
def test_nothing_is_told_when_a_file_is_no_revision_of_this_environment(top: Path, file: str, text: str) -> None:
    for folder, marker in (("tenants", "env.py"), ("venv", "pyvenv.cfg")):
        (top / folder).mkdir()
        (top / folder / marker).write_text("")
    (top / file).parent.mkdir(parents=True, exist_ok=True)
    (top / file).write_text(text)
    assert _load(top).warnings == ()


def test_nothing_is_told_when_everything_is_read(top: Path) -> None:
    _write(top / "versions" / "2026" / "r2.py", "r2", "r1")
    assert _load(top, recursive=True).graph.heads == ["r2"]
    history = _load(top, ["versions", "versions/2026"])
    assert (history.graph.heads, history.warnings) == (["r2"], ())


@pytest.mark.parametrize("locations", [["versions", "billing"], ["billing"]])
def test_folder_is_named_when_a_version_location_is_not_there(top: Path, locations: list[str]) -> None:
    found = f"the folder {top}/billing that revisions are read from does not exist. Correct version_locations"
    assert found in _refused(top, locations)


def test_usual_folder_is_named_when_it_is_not_there(top: Path) -> None:
    (top / "versions" / "r1.py").unlink()
    (top / "versions").rmdir()
    assert f"the folder {top}/versions" in _refused(top)


@pytest.mark.parametrize("sourceless", [True, False])
@pytest.mark.parametrize(
    "name", ["versions/r2.pyc", "versions/r2.cpython-312.pyc", "env_settings.pyc", "more/__init__.pyc"]
)
def test_code_is_named_when_it_is_compiled_without_its_source(top: Path, name: str, *, sourceless: bool) -> None:
    _write(top / "r2.py", "r2", "r1")
    py_compile.compile(str(top / "r2.py"), str(top / name))
    (top / "r2.py").unlink()
    assert f": compiled without the source: {Path(name).name}. They can be neither reviewed" in _refused(
        top, sourceless=sourceless
    )


def test_revision_is_named_when_it_is_read_from_the_cache_alone(top: Path) -> None:
    py_compile.compile(str(top / "versions" / "r1.py"))
    compiled = Path(importlib.util.cache_from_source(str(top / "versions" / "r1.py")))
    (top / "versions" / "r1.py").unlink()
    assert f": compiled without the source: {compiled.name}. " in _refused(top, sourceless=True)


@pytest.mark.parametrize("sourceless", [True, False])
def test_source_is_read_when_compiled_files_lie_beside_it(top: Path, *, sourceless: bool) -> None:
    for compiled in (None, str(top / "versions" / "r1.pyc")):
        py_compile.compile(str(top / "versions" / "r1.py"), compiled)
    assert _load(top, sourceless=sourceless).graph.files["r1"].path == "r1.py"
