"""Types of single values in a spec: each names the function that reads it, and refuses what breaks its rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from alembic_operator.api import duration, rules
from alembic_operator.api.codec import REQUIRED, Reader, decode
from alembic_operator.api.rules import require

HEAD, HEADS = "head", "heads"
WEEK = 7 * 24 * 3600.0


def _matching(pattern: re.Pattern[str], rule: str, *but: str) -> Reader:
    """Reads text that matches the pattern and is none of `but`."""

    def read(value: Any, path: str) -> str:
        require(isinstance(value, str) and pattern.fullmatch(value) is not None and value not in but, path, rule)
        return str(value)

    return read


def one_of(*words: str) -> Reader:
    """Reads one of the words."""

    def read(value: Any, path: str) -> str:
        require(value in words, path, f"must be one of {', '.join(words)}")
        return str(value)

    return read


def _text(value: Any, path: str) -> str:
    require(isinstance(value, str) and value != "", path, REQUIRED)
    return str(value)


def _image(value: Any, path: str) -> str:
    rules.check_image(value, path)
    return str(value)


@dataclass(frozen=True)
class _Named:
    name: str


def _name(value: Any, path: str) -> str:
    """Of an object like `{"name": "shop"}`."""
    return decode(_Named, value, path).name


def _seconds(value: Any, path: str) -> float:
    try:
        seconds = duration.seconds(value)
    except (TypeError, ValueError):
        raise rules.InvalidSpec(path, rules.DURATION_RULE) from None
    require(seconds <= WEEK, path, rules.AT_MOST_A_WEEK)
    return seconds


Text = Annotated[str, _text]  # text that is not empty
Image = Annotated[str, _image]
LocalName = Annotated[str, _name]
Seconds = Annotated[float, _seconds]  # of a duration, such as 10m
Identifier = Annotated[str, _matching(rules.IDENTIFIER, rules.IDENTIFIER_RULE)]
Digest = Annotated[str, _matching(rules.DIGEST, rules.DIGEST_RULE)]
Argument = Annotated[str, _matching(rules.ARGUMENT, rules.ARGUMENT_RULE)]
Target = Annotated[str, _matching(rules.REVISION, rules.REVISION_RULE, "base")]
TargetId = Annotated[str, _matching(rules.REVISION, rules.REVISIONS_RULE, HEAD, HEADS, "base")]
BaselineId = Annotated[str, _matching(rules.REVISION, rules.BASELINE_REVISION, HEAD, HEADS, "base")]
