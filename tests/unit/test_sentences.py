"""Sentences of the product: no two words of one are run together, which happens where a string goes over two lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "operator" / "alembic_operator"
_WORDS = "and|are|at|but|does|for|from|has|in|is|it|lacks|not|of|on|so|that|the|to|was|which|with"
_RUN_TOGETHER = re.compile(rf'(?:[»)]|\w"|»")(?:{_WORDS}) |[a-z],(?:{_WORDS}) |[a-z]\.(?:A|Give|Nothing|Set|The|To) ')


def sentences(text: str) -> Iterator[str]:
    """Strings with a space in them; what is put in reads as a guillemet."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "»" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


@pytest.mark.parametrize("package", ["api", "cli", "contract", "control", "core", "runner"])
def test_no_words_are_run_together(package: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {sentence[max(0, at.start() - 30) : at.end() + 30]}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        for sentence in sentences(path.read_text("utf-8"))
        for at in _RUN_TOGETHER.finditer(sentence)
    ]
    assert found == []


@pytest.mark.parametrize("text", ["f'schema \"{x}\"of it'", 'f"at revision {x}with more"', '"as it was.Nothing "'])
def test_words_that_are_run_together_are_found(text: str) -> None:
    assert [bool(_RUN_TOGETHER.search(one)) for one in sentences(text)][:1] == [True]
