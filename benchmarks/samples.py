"""Numbers and what is said of them: medians, ranges, ratios, and whether a target is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Row:
    """One thing, measured some times.

    Attributes:
        what: What it is.
        unit: Of the values.
        values: In the order in which they were taken.
    """

    what: str
    unit: str
    values: list[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)


@dataclass(frozen=True)
class Verdict:
    """A figure that has a target, which it must not exceed."""

    what: str
    value: float
    target: float
    range: list[float] = field(default_factory=list)

    @property
    def reached(self) -> bool:
        """Whether it is no larger than its target."""
        return self.value <= self.target


@dataclass(frozen=True)
class Result:
    """What a benchmark found.

    Attributes:
        title: What was asked.
        method: How it was measured, in a paragraph.
        rows: What was measured.
        verdicts: What follows.
        notes: What else is worth knowing; Markdown.
        date: When.
        commit: Of the repository.
    """

    title: str
    method: str
    rows: list[Row]
    verdicts: list[Verdict]
    notes: list[str] = field(default_factory=list)
    date: str = ""
    commit: str = ""


def ratio(what: str, ours: Row, theirs: Row, target: float) -> Verdict:
    """The ratio of two medians, with the range of the ratios of the pairs that were measured one after the other."""
    pairs = [mine / other for mine, other in zip(ours.values, theirs.values, strict=True)]
    return Verdict(what, ours.median / theirs.median, target, [min(pairs), max(pairs)])


def number(value: float) -> str:
    """A number as it is printed: three digits that count, whole ones whole."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
