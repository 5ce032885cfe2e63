"""Statements as they are written down: what is the same again stands once."""

from __future__ import annotations

import re
from dataclasses import replace

from ...contract.plan import Notice, Statement

MOST_NOTICES = 20
_SKIPPED = re.compile(r"NOTICE:\s+(.* (already exists|does not exist), skipping)", re.DOTALL)


def same(one: Statement, other: Statement) -> bool:
    """Whether it is the same statement again."""
    return (one.sql, one.parameters, one.autocommit, one.channel) == (
        other.sql,
        other.parameters,
        other.autocommit,
        other.channel,
    )


def merged(one: Statement, other: Statement) -> Statement:
    """Both as one, with everything that either did."""
    return replace(
        one,
        executions=one.executions + other.executions,
        locks=one.locks + [lock for lock in other.locks if lock not in one.locks],
        rewrites=sorted({*one.rewrites, *other.rewrites}),
        scans=sorted({*one.scans, *other.scans}),
        drops=one.drops + other.drops,
        objects=one.objects + other.objects,
        notices=(one.notices + other.notices)[:MOST_NOTICES],
        violation=one.violation or other.violation,
        seconds=round(one.seconds + other.seconds, 4),
    )


def skipped(texts: list[str]) -> list[Notice]:
    """What the server left out, by psycopg2's notices, which have no SQLSTATE; others may be a function's words."""
    found = [match for match in map(_SKIPPED.match, texts) if match]
    return [Notice("42P07" if match[2] == "already exists" else "00000", match[1].strip()) for match in found]
