"""An environment for each application, made once a machine."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.cluster.binary import cache_folder
from tests.cluster.locks import locked

from .application import Application


@dataclass(frozen=True)
class Installed:
    """An application that is there.

    Attributes:
        python: its interpreter.
        directory: spec.migrations.path.
        version: of the application.
    """

    python: Path
    directory: Path
    version: str


def install(application: Application) -> Installed:
    """Find the application's environment, or make it."""
    key = hashlib.sha256(repr((sys.version_info[:2], application.wanted)).encode()).hexdigest()[:8]
    folder = cache_folder() / "real-projects" / f"{application.name}-{key}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        with locked(folder.with_suffix(".lock")):
            if not (folder / "complete").exists():
                _make(folder, application)
    packages = next(folder.glob("lib/python*/site-packages"))
    version = next(iter(metadata.distributions(name=application.name, path=[str(packages)]))).version
    return Installed(python, packages / application.path, version)


def _make(folder: Path, application: Application) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder)
    # Not pip: it takes minutes for what has many requirements, and a copy of it in each environment has to be made.
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", str(folder / "bin" / "python")]
    subprocess.run([*uv, "--quiet", "--compile-bytecode", *application.wanted], check=True)
    (folder / "complete").touch()


def remove(application: Application) -> None:
    """Remove every environment of the application: some are large."""
    for folder in (cache_folder() / "real-projects").glob(f"{application.name}-*"):
        shutil.rmtree(folder)
