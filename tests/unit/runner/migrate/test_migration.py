"""The place of an error in user code: a file of the project's, whatever raised in the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alembic_operator.runner.migrate.migration import _line


def _raised(path: Path, text: str) -> Exception:
    names: dict[str, Any] = {"json": json}
    try:
        exec(compile(text, str(path), "exec"), names)  # noqa: S102 - the test's own text
    except ValueError as error:
        return error
    raise AssertionError("nothing was raised")


def test_line_is_the_projects_when_the_standard_library_raises(tmp_path: Path) -> None:
    assert _line(_raised(tmp_path / "r2.py", "x = 1\njson.loads('{')")) == "r2.py, line 2"


def test_line_names_no_file_when_none_is_the_projects() -> None:
    assert _line(ValueError("x")) == "a file outside the project"
