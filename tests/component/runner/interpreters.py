"""Interpreters with other libraries than the tests' own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

OLDEST = {
    "psycopg2": ["alembic==1.13.0", "SQLAlchemy==2.0.0", "psycopg2-binary==2.9.9"],
    "psycopg": ["alembic==1.13.0", "SQLAlchemy==2.0.0", "psycopg[binary]==3.1.8"],
}


def oldest_python(driver: str) -> str:
    """An interpreter with the oldest supported libraries, in a venv that is made once a machine."""
    interpreter = find_oldest_python()
    requirements = OLDEST[driver]
    key = hashlib.sha256(repr((interpreter, requirements)).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "alembic-operator"
    directory = cache / f"venv-{key}"
    python = directory / "bin" / "python"
    if not (directory / "complete").exists():
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", directory], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
        (directory / "complete").touch()
    return str(python)


def find_oldest_python() -> str:
    """Python 3.9 where the machine has it, else the interpreter of the tests, with a warning in the summary."""
    candidates = [shutil.which("python3.9"), *sorted(map(str, Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9")))]
    for candidate in filter(None, candidates):
        found = subprocess.run([candidate, "-c", "import ensurepip"], check=False, capture_output=True)
        if found.returncode == 0:
            return candidate
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.version_info >= (3, 12):
        pytest.skip(f"the oldest libraries have no wheels for Python {running}: install python3.9 with its venv module")
    warnings.warn(f"no python3.9 here: the oldest libraries are tried on Python {running}", stacklevel=2)
    return sys.executable
