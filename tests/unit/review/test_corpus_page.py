"""docs/corpus.md has every case of the corpora, and what it counts is what it lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.corpus.case import Case
from tests.corpus.projects import PROJECTS
from tests.corpus.published import PUBLISHED

_PAGE = (Path(__file__).parents[3] / "docs" / "corpus.md").read_text()
_SECTIONS = re.split(r"^## ", _PAGE, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize(
    ("cases", "section"), [(PUBLISHED, _SECTIONS[0]), (PROJECTS, _SECTIONS[1])], ids=["published", "projects"]
)
def test_page_lists_each_case_with_its_source_and_counts_them(cases: tuple[Case, ...], section: str) -> None:
    rows = re.findall(r"^\| \[(.*?)\]\((\S+)\) \| (\w+(?: through)?)", section, flags=re.MULTILINE)
    expected = [(one.name, one.source, "stopped" if one.unsafe else "let through") for one in cases]
    unsafe = sum(one.unsafe for one in cases)

    assert rows == expected
    assert re.search(rf"\b{unsafe} unsafe .* of {len(cases) - unsafe} safe", section)
    assert "and is not" not in section
