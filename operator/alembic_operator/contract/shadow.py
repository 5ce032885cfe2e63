"""The files by which the runner and the shadow's script talk; the script is core/job/shadow.sh."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from . import job_env

_VARIABLE = re.compile(r"PG[A-Z0-9]{2,40}")


def source_text(parameters: Mapping[str, str]) -> str:
    """The text of SHADOW_SOURCE_FILE: no value is anything but a value to the shell that reads it.

    Args:
        parameters: libpq's environment variables of the target, PGHOST and so on, by name.

    Raises:
        ValueError: a name that is none of libpq's, or a NUL in a value; it quotes no value.
    """
    lines = []
    for name, value in parameters.items():
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name} is not an environment variable of libpq")
        if "\x00" in value:
            raise ValueError(f"the value of {name} contains a NUL character")
        lines.append("export {}='{}'\n".format(name, value.replace("'", "'\\''")))
    return "".join(lines)


def write_source(directory: Path, parameters: Mapping[str, str]) -> None:
    """Tell the script which database to restore: whole or not at all, for the pod's group alone to read.

    Raises:
        ValueError: as `source_text`.
        OSError: the directory cannot be written to.
    """
    part = directory / (job_env.SHADOW_SOURCE_FILE + ".part")
    text = source_text(parameters)
    part.unlink(missing_ok=True)
    part.touch(0o600)
    part.chmod(0o640)  # whatever the umask
    part.write_text(text, "utf-8", "surrogateescape")
    part.replace(directory / job_env.SHADOW_SOURCE_FILE)


def read_answer(directory: Path) -> str | None:
    """The script's answer: None while there is none, "" when the shadow is ready, else why there is none."""
    try:
        return (directory / job_env.SHADOW_FAILED_FILE).read_text("utf-8", "replace") or "The shadow failed."
    except FileNotFoundError:
        return "" if (directory / job_env.SHADOW_READY_FILE).exists() else None
