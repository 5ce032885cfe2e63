"""How the process ends, and that it begins anew where it may not go on as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, pathlib
from alembic_operator.control import __main__ as main
from alembic_operator.control.serve.lease import LeaseLost

seen = pathlib.Path(os.environ["SEEN"])

async def serve(settings):
    lives = seen.read_text().split() if seen.exists() else []
    seen.write_text(" ".join([*lives, str(os.getpid())]))
    if len(lives) < 2:
        raise LeaseLost("lost the Lease operator/leader: the API server is away")
    return 3

main.serve = serve
main.main()
"""


def test_process_begins_anew_in_the_same_container_when_it_has_lost_the_lease(tmp_path: Path) -> None:
    script, seen = tmp_path / "replica.py", tmp_path / "seen"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {"SEEN": str(seen), "ALEMBIC_OPERATOR_NAMESPACE": "operator", "ALEMBIC_OPERATOR_POD": "operator-0"}
    path = ":".join(entry for entry in sys.path if entry)

    ended = subprocess.run(
        [sys.executable, script], env={**environment, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )

    assert seen.exists(), ended.stderr
    lives = seen.read_text().split()
    assert (ended.returncode, len(lives), len(set(lives))) == (3, 3, 1), ended.stderr
    assert (ended.stdout + ended.stderr).count("lost the Lease operator/leader") == 2
