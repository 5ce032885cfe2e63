"""The repository's root may come first on Python's path: `operator/` there is no module."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLLECTED = "tests/unit/test_source_root.py"


def test_tests_are_collected_when_python_puts_the_root_first_on_its_path() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", COLLECTED],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{COLLECTED}::test_source_root_holds_packages_and_is_none" in found.stdout
