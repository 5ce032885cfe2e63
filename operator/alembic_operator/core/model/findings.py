"""Findings of a review and the rules that make them: ids, severities, and which of them nothing lowers.

The analysis itself lives in `review`; what follows from a finding is decided here, with the spec of today.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alembic_operator.api import review


class Severity(StrEnum):
    """How much a finding counts; OFF only in `spec.review.rules`."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True)
class Finding:
    """What a rule has to say about a step.

    Attributes:
        rule: one of RULES.
        severity: the rule's own for this case, before `spec.review.rules`.
        revision: the step; "" for the whole plan.
        object: what it is about, such as `public.orders.region_id`.
        message: what was found, and why it hurts.
        fix: what to write instead.
        statement: its number in the step from 1; 0 for none.
        waived_by: ticket and reason of the waiver; "" where none applies.
        waived_until: the last day of the waiver, `2026-12-31`.
    """

    rule: str
    severity: Severity
    revision: str
    object: str
    message: str
    fix: str
    statement: int = 0
    waived_by: str = ""
    waived_until: str = ""


RULES = review.RULE_IDS
NEVER_WAIVED = review.NEVER_LOWERED
HISTORY_RULES = review.HISTORY_RULES
