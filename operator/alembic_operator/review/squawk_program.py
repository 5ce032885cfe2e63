"""The program squawk: where it is, how it is asked, and what is made of its answer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

SECONDS = 30.0  # for all that is asked; 256 KiB of statements take it 0.1 s
BATCH = 256 * 1024  # characters that are asked about at once: 5 MiB take it 280 MB
_ROUNDS = 3
_CONFIG = Path(__file__).with_name("squawk.toml")
_SYNTAX = "syntax-error"


class SquawkFailed(Exception):
    """Squawk gave no answer; the text is a sentence."""


@dataclass(frozen=True)
class Said:
    """A statement: its text without comments, and which transaction it runs in ("" for none)."""

    text: str
    transaction: str


def program() -> str:
    """Where squawk is: beside the packages, where `pip --target` puts programs, beside the interpreter, or on PATH.

    Raises:
        SquawkFailed: nowhere.
    """
    for folder in (Path(__file__).parents[2] / "bin", Path(sys.executable).parent):
        if os.access(folder / "squawk", os.X_OK):
            return str(folder / "squawk")
    found = shutil.which("squawk")
    if found is None:
        raise SquawkFailed("The review needs the program squawk, which is not installed: pip install squawk-cli.")
    return found


def ask(statements: list[Said], rules: Container[str], major: int) -> Iterator[tuple[int, str, str]]:
    """What squawk objects to: the statement's place in the list, squawk's rule, and its words.

    A statement that squawk cannot read is left out: it says nothing of any other otherwise.

    Args:
        statements: in order; where there is none, no program is started.
        rules: those that may speak.
        major: version of the server.

    Raises:
        SquawkFailed: no answer.
    """
    ends = time.monotonic() + SECONDS
    for batch in _batches(statements):
        left = dict(batch)
        for _ in range(_ROUNDS):
            found = _run(left, major, ends) if left else []
            unread = {at for at, rule, _ in found if rule == _SYNTAX}
            if not unread:
                yield from (one for one in found if one[1] in rules)
                break
            left = {at: one for at, one in left.items() if at not in unread}


def _batches(statements: list[Said]) -> Iterator[dict[int, Said]]:
    sizes, total = [], 0
    for one in statements:
        total += len(one.text)
        sizes.append(total // BATCH)
    for _, group in groupby(enumerate(statements), key=lambda item: sizes[item[0]]):
        yield dict(group)


def _run(statements: dict[int, Said], major: int, ends: float) -> list[tuple[int, str, str]]:
    text, owners = _text(statements)
    # The exit code says nothing: 1 stands for findings, for text that cannot be read, and for a missing file.
    found: list[tuple[int, str, str]] = []
    for one in _answer(text, major, ends):
        at = owners.get(one["line"])
        if at is not None:
            found.append((at, str(one["rule_name"]), str(one["message"])))
        elif one["rule_name"] == _SYNTAX:  # at the end: of something that was not closed, whichever
            found += [(every, _SYNTAX, "") for every in statements]
    return found


def _text(statements: dict[int, Said]) -> tuple[str, dict[int, int]]:
    """The statements in their transactions, and which line belongs to which of them."""
    lines: list[str] = []
    owners: dict[int, int] = {}
    for transaction, group in groupby(statements.items(), key=lambda item: item[1].transaction):
        lines += ["BEGIN;"] if transaction else []
        for at, one in group:
            text = f"{one.text};".split("\n")
            owners.update((len(lines) + line, at) for line in range(len(text)))
            lines += text
        lines += ["COMMIT;"] if transaction else []
    return "\n".join(lines), owners


def _answer(text: str, major: int, ends: float) -> list[dict[str, Any]]:
    # Always a file of settings of ours: squawk looks for one in every folder above otherwise.
    command = [program(), "-c", str(_CONFIG), "--reporter", "json", "--stdin-filepath", "plan.sql"]
    command += ["--pg-version", f"{major}.0"]
    try:
        ended = subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=max(ends - time.monotonic(), 0.01),
            check=False,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        raise SquawkFailed(
            f"Squawk read the plan's statements for longer than {SECONDS:g} s; make them shorter, or split the plan."
        ) from None
    except OSError as error:
        raise SquawkFailed(f"Squawk, {command[0]}, cannot be started: {error.strerror}.") from None
    if ended.returncode < 0:
        name = signal.Signals(-ended.returncode).name
        raise SquawkFailed(f"Squawk broke ({name}) at the plan's statements; make them shorter, or split the plan.")
    try:
        found = json.loads(ended.stdout)
        if all(isinstance(one["line"], int) and one["rule_name"] and one["message"] for one in found):
            return list(found)
    except (ValueError, TypeError, KeyError):
        pass
    raise SquawkFailed(f"Squawk ended with code {ended.returncode} and without a valid answer.")
