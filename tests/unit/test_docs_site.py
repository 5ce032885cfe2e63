"""The documentation's site: every page is in its menu, and links lead to pages and pictures that exist.

`make docs` checks more, anchors for instance, and needs MkDocs; this needs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def paths(menu: Any) -> Iterator[str]:
    """The pages of a part of the menu."""
    if isinstance(menu, str):
        yield menu
    else:
        for part in menu.values() if isinstance(menu, dict) else menu:
            yield from paths(part)


def links(page: Path) -> list[str]:
    """What a page links to, but for its own headings and other hosts."""
    found = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    return [link for link in found if not link.startswith(("https://", "http://"))]


def test_page_is_in_the_menu_once_when_it_is_in_the_folder() -> None:
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(paths(menu)) == sorted(str(page.relative_to(DOCS)) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_of_a_page_lead_to_files_of_the_site(page: Path) -> None:
    for link in links(page):
        there = (page.parent / link).resolve()
        assert there.is_file(), link
        assert there.is_relative_to(DOCS), f"{link} is not part of the site: name the path instead"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_first_pages_lead_to_files(name: str) -> None:
    found = links(ROOT / name)
    assert len(found) > 2
    for link in found:
        assert (ROOT / link).is_file() or (ROOT / link).is_dir(), link


def test_pictures_name_no_other_host() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.svg"))
    assert len(pictures) >= 4
    for picture in pictures:
        hosts = set(re.findall(r"https?://[^\"' ]+", picture.read_text(encoding="utf-8")))
        assert hosts == {"http://www.w3.org/2000/svg"}, picture.name  # the name of the format, never fetched
