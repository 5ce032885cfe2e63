"""The bundle's digest: the same in every checkout and stage, another one for every change that counts."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.contract.vectors import VECTORS

from alembic_operator.contract.bundle import INI, BundleError, bundle_digest, bundle_files, digest_of

VECTOR: dict[str, Any] = VECTORS["bundle"]


def _project(root: Path, *, line_end: str | None = None) -> Path:
    for name, content in VECTOR["files"].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if line_end is None else content.replace("\r\n", "\n").replace("\n", line_end)
        path.write_bytes(text.encode())
    (root / "alembic.ini").write_text(VECTOR["ini"])
    return root


def _digest(root: Path) -> str:
    versions = [root / name for name in VECTOR["version_locations"]]
    return bundle_digest(root / VECTOR["script_location"], versions, root, root / "alembic.ini")


def test_comes_to_the_golden_value(tmp_path: Path) -> None:
    root = _project(tmp_path)
    files = bundle_files(root / "migrations", [root / "migrations/versions"], root, root / "alembic.ini")
    assert {path: hashlib.sha256(content).hexdigest() for path, content in files.items()} == VECTOR["counted"]
    assert files[INI].decode() == VECTOR["section"]
    assert digest_of(files) == _digest(root) == VECTOR["digest"]


def _as_crlf(root: Path) -> None:
    shutil.rmtree(root / "migrations")
    _project(root, line_end="\r\n")
    (root / "alembic.ini").write_bytes(VECTOR["ini"].replace("\n", "\r\n").encode())


def _modes(root: Path) -> None:
    for path in root.rglob("*.py"):
        path.chmod(0o755)
        os.utime(path, (1, 1))


def _other_url(root: Path) -> None:
    (root / "alembic.ini").write_text(VECTOR["ini"].replace("u:p@h/d", "x:y@prod/z").replace("keys = root", "keys = a"))


def _no_url(root: Path) -> None:
    (root / "alembic.ini").write_text(VECTOR["ini"].replace("sqlalchemy.url = postgresql://u:p@h/d\n", "# note\n"))


def _compiled(root: Path) -> None:
    (root / "migrations/__pycache__").mkdir()
    (root / "migrations/__pycache__/env.cpython-312.pyc").write_bytes(b"\0")
    (root / "migrations/.DS_Store").write_bytes(b"\0")
    (root / "migrations/.venv").symlink_to("/nowhere")
    (root / "README.md").write_text("outside")


@pytest.mark.parametrize("change", [_as_crlf, _modes, _other_url, _no_url, _compiled], ids=lambda one: one.__name__)
def test_is_the_same_when_only_the_checkout_or_the_stage_differs(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    root = _project(tmp_path / "somewhere/else")
    change(root)
    assert _digest(root) == VECTOR["digest"]


def _write(name: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)

    return change


@pytest.mark.parametrize(
    "change",
    [
        _write("migrations/versions/0001_first.py", "revision = '0001'\ndown_revision = None\n\n"),
        _write("migrations/versions/0001.review.yaml", "- rule: rewrite\n"),
        _write("migrations/versions/0002.review.yaml", ""),
        _write("migrations/env.py", "print('ENV')\n"),
        _write("migrations/helper/x.sql", "SELECT 1"),
        _write("alembic.ini", VECTOR["ini"].replace("%%(rev)s", "%%(slug)s")),
        _write("alembic.ini", VECTOR["ini"].replace("[loggers]", "version_table = x\n[loggers]")),
        lambda root: (root / "migrations/env.py").rename(root / "migrations/ENV.py"),
        lambda root: (root / "migrations/script.py.mako").unlink(),
    ],
)
def test_differs_when_something_that_counts_does(tmp_path: Path, change: Callable[[Path], Any]) -> None:
    root = _project(tmp_path)
    change(root)
    assert _digest(root) != VECTOR["digest"]


def _link(name: str, target: str) -> Callable[[Path], None]:
    return lambda root: (root / name).symlink_to(target)


def _linked_location(root: Path) -> None:
    (root / "migrations").rename(root / "real")
    (root / "migrations").symlink_to("real")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_link("migrations/versions/0002.py", "0001_first.py"), "0002.py: a symbolic link"),
        (_link("migrations/versions/0002.py", "/etc/passwd"), "0002.py: a symbolic link"),
        (_link("migrations/versions/gone.py", "nowhere"), "gone.py: a symbolic link"),
        (_link("migrations/more", "../shop"), "more: a symbolic link"),
        (_linked_location, "migrations: a symbolic link"),
        (lambda root: os.mkfifo(root / "migrations/pipe"), "pipe: neither a file nor a directory"),
        (lambda root: shutil.rmtree(root / "migrations"), "migrations: cannot be read"),
        (lambda root: (root / "alembic.ini").unlink(), "alembic.ini: cannot be read"),
        (lambda root: (root / "alembic.ini").write_text("[alembic\nsecret"), "alembic.ini: cannot be parsed"),
        (lambda root: (root / "alembic.ini").write_text("[alembic]\na=1\na=2"), "alembic.ini: cannot be parsed"),
        (lambda root: (root / "alembic.ini").write_bytes(b"[alembic]\na=\xff"), "alembic.ini: cannot be parsed"),
    ],
)
def test_refuses_when_a_file_cannot_be_part_of_a_bundle(
    tmp_path: Path, change: Callable[[Path], Any], named: str
) -> None:
    root = _project(tmp_path)
    change(root)
    with pytest.raises(BundleError) as caught:
        _digest(root)
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)


def test_reads_through_the_links_of_a_configmaps_volume(tmp_path: Path) -> None:
    plain, volume = tmp_path / "plain", tmp_path / "volume"
    (volume / "..2026_01_01").mkdir(parents=True)
    plain.mkdir()
    for place in (plain, volume / "..2026_01_01"):
        (place / "0001_first.py").write_text("revision = '0001'\n")
    (volume / "..data").symlink_to("..2026_01_01")
    (volume / "0001_first.py").symlink_to("..data/0001_first.py")
    assert bundle_digest(volume, [volume], volume, None) == bundle_digest(plain, [plain], plain, None)


def test_names_files_by_their_location_when_it_is_outside_of_the_project(tmp_path: Path) -> None:
    root = _project(tmp_path / "project")
    (tmp_path / "package").mkdir()
    (tmp_path / "package/env.py").write_text("")
    found = bundle_files(tmp_path / "package", [root / "migrations/versions", tmp_path / "package"], root, None)
    assert "script_location:env.py" in found
    assert "version_locations[1]:env.py" in found
    assert "migrations/versions/0001_first.py" in found
    assert INI not in found


def test_takes_the_table_of_pyproject_toml(tmp_path: Path) -> None:
    root = _project(tmp_path)
    (root / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.alembic]\nscript_location = "migrations"\n')
    found = bundle_files(root / "migrations", [], root, root / "pyproject.toml")
    assert found[INI] == b'{"script_location":"migrations"}'


@given(st.binary(max_size=40))
def test_counts_line_ends_as_one_but_keeps_binary_files(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("b")
    (root / "data").write_bytes(data)
    found = bundle_files(root, [], root, None)["data"]
    assert found == (data if b"\0" in data else data.replace(b"\r\n", b"\n"))
