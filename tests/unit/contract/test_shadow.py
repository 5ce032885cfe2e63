"""What runner and shadow write for each other; what the script does stands in tests/component/shadow."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from alembic_operator.contract import job_env
from alembic_operator.contract.shadow import read_answer, source_text, write_source
from alembic_operator.core.job.shadow_script import script

HOSTILE = [
    "it's",
    "'; touch /tmp/owned; '",
    "$(touch /tmp/owned)",
    "`touch /tmp/owned`",
    '"\\" \\',
    "a\nb\n",
    "p@ss:/w?%rd €",
    "'",
    "",
    "!$1 *",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["busybox", "sh"]], ids=lambda words: words[0])
def test_value_is_kept_when_a_shell_reads_the_source(tmp_path: Path, shell: list[str], value: str) -> None:
    write_source(tmp_path, {"PGPASSWORD": value, "PGHOST": "db"})
    reading = f'. "{tmp_path}/source"; printf "%s." "$PGPASSWORD" "$PGHOST"'
    done = subprocess.run([*shell, "-c", reading], capture_output=True, check=True, env={"PATH": os.environ["PATH"]})
    assert done.stdout.decode() == f"{value}.db."


@pytest.mark.parametrize("name", ["PATH", "PG", "PGHOST=1;", "LD_PRELOAD", "PGhost", "PGHOST\n", "x'PGHOST", ""])
def test_source_is_refused_when_a_name_is_none_of_libpq(name: str) -> None:
    with pytest.raises(ValueError, match="not an environment variable of libpq"):
        source_text({name: "value"})


def test_source_is_refused_and_not_quoted_when_a_value_has_a_nul() -> None:
    with pytest.raises(ValueError, match="PGPASSWORD") as refused:
        source_text({"PGPASSWORD": "sec\x00ret"})
    assert "sec" not in str(refused.value).replace("PGPASSWORD", "")


def test_source_is_for_the_group_alone_when_the_umask_is_strict(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        write_source(tmp_path, {"PGHOST": "db"})
    finally:
        os.umask(before)
    assert (tmp_path / job_env.SHADOW_SOURCE_FILE).stat().st_mode & 0o7777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == [job_env.SHADOW_SOURCE_FILE]


def test_answer_is_none_when_the_shadow_has_not_spoken(tmp_path: Path) -> None:
    assert read_answer(tmp_path) is None


def test_answer_is_empty_when_the_shadow_is_ready(tmp_path: Path) -> None:
    (tmp_path / job_env.SHADOW_READY_FILE).touch()
    assert read_answer(tmp_path) == ""


def test_answer_is_the_sentence_when_the_shadow_failed_after_it_was_ready(tmp_path: Path) -> None:
    (tmp_path / job_env.SHADOW_READY_FILE).touch()
    (tmp_path / job_env.SHADOW_FAILED_FILE).write_bytes("No space. \xc3".encode("latin-1"))
    assert read_answer(tmp_path) == "No space. \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["busybox", "sh"]], ids=lambda words: words[0])
def test_script_is_legal_when_a_shell_parses_it(shell: list[str]) -> None:
    text = script()
    assert not [word for word in text.split() if word.startswith("@") and word.endswith("@")]
    done = subprocess.run([*shell, "-n", "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
