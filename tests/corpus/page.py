"""docs/corpus.md: what the review says of each migration of the corpora."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.postgres import VERSIONS

from .run import CORPORA, Verdict, judge, summary

PAGE = Path(__file__).parents[2] / "docs" / "corpus.md"
_TITLES = {"published": "Published migrations", "projects": "Migrations as Alembic projects write them"}
_BEGIN = "<!-- written by `python -m tests.corpus page` -->"
_OWN = "irreversible warning"  # of every case: their downgrade() raises


def write() -> None:
    """Judge every case with the newest PostgreSQL, and write the tables anew."""
    head = PAGE.read_text().partition(_BEGIN)[0]
    sections = [_section(_TITLES[name], judge(VERSIONS[-1], cases)) for name, cases in CORPORA.items()]
    PAGE.write_text("\n".join([head + _BEGIN, "", *sections]))


def _section(title: str, verdicts: list[Verdict]) -> str:
    lines = [f"## {title}", "", f"{summary(verdicts)}.", ""]
    lines += ["| migration | should be | the review says |", "|---|---|---|"]
    lines += [f"| [{_cell(one.case.name)}]({one.case.source}) | {_expected(one)} | {_said(one)} |" for one in verdicts]
    return "\n".join([*lines, ""])


def _expected(verdict: Verdict) -> str:
    found = "stopped" if verdict.case.unsafe else "let through"
    return f"{found}, and is not" if verdict.wrong else found


def _said(verdict: Verdict) -> str:
    if verdict.refused:
        return "the shadow refuses it"
    found = sorted({one for one in verdict.findings if one != _OWN})
    return ", ".join("**{}**".format(one.removesuffix(" error")) if one.endswith(" error") else one for one in found)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
