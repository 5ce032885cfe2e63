"""What the image's programs and libraries lose, and that they work without it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import strip
from alembic_operator.review.squawk_program import program


def test_program_runs_when_it_is_stripped(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    copy = Path(shutil.copy(program(), tmp_path / "bin" / "squawk"))
    whole = copy.stat().st_size
    subprocess.run([sys.executable, strip.__file__, tmp_path], check=True)
    ended = subprocess.run([copy, "--reporter", "json"], input=b"DROP TABLE a;", capture_output=True, check=False)
    assert b"ban-drop-table" in ended.stdout
    assert copy.stat().st_size < 0.9 * whole


def test_library_is_loaded_when_it_is_stripped(tmp_path: Path) -> None:
    found = next(path for folder in sys.path for path in Path(folder).glob("postgast/libpg_query.so"))
    copy = Path(shutil.copy(found, tmp_path / "lib.so"))
    subprocess.run([sys.executable, strip.__file__, tmp_path], check=True)
    assert ctypes.CDLL(str(copy)).pg_query_init is not None
    assert copy.stat().st_size < 0.5 * found.stat().st_size


def test_nothing_changes_when_it_is_stripped_again() -> None:
    once = strip.stripped(Path(program()).read_bytes())
    assert strip.stripped(once) == once


@pytest.mark.parametrize("file", [b"", b"#!/bin/sh\nexit 0\n", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(80)])
def test_file_stays_as_it_is_when_it_is_no_program_of_64_bits(file: bytes) -> None:
    assert strip.stripped(file) == file
