"""The map in CONTRIBUTING.md names every package; neither it nor the docs about the code name what does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "alembic_operator"
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATH = re.compile(r"`([^`\s…]+/|[^`\s…]+\.(?:py|sql|sh|md|yml))`")


def section(heading: str) -> str:
    """The text below a heading."""
    return GUIDE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def packages() -> Iterator[str]:
    """The folders with code, as the map writes them."""
    for path in sorted(PACKAGE.rglob("__init__.py")):
        if path.parent != PACKAGE:
            yield f"{path.parent.relative_to(PACKAGE)}/"


def mapped() -> list[str]:
    """What the first column of the map names, in full."""
    rows = [row.split("|")[1] for row in section("The map of the house").splitlines() if row.startswith("| `")]
    first = "operator/alembic_operator/"
    return [path.replace("…/", first) for cell in rows for path in re.findall(r"`([^`]+)`", cell)]


def test_map_names_each_package_once() -> None:
    below = [path.removeprefix("operator/alembic_operator/") for path in mapped() if path.startswith("operator/")]
    assert sorted(below) == sorted(packages())


def test_map_names_paths_that_exist() -> None:
    assert len(mapped()) > 40
    assert [path for path in mapped() if not (ROOT / path).exists()] == []


def test_rules_are_where_the_list_says() -> None:
    named = PATH.findall(section("Where is the rule for …?") + section("How one change flows"))
    assert len(named) > 30
    assert [path for path in named if not (PACKAGE / path).exists() and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ["architecture.md", "glossary.md"])
def test_pages_about_the_code_name_paths_that_exist(page: str) -> None:
    named = PATH.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert len(named) > 5
    assert [path for path in named if not (PACKAGE / path).exists() and not (ROOT / path).exists()] == []
