"""Plans made of SQL, as a plan run would have written them down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from alembic_operator.contract.plan import Direction, PlanDocument, Relation, Statement, Step, StepKind
from alembic_operator.review.lint import lint
from alembic_operator.review.result import Lint

TODAY = date(2026, 11, 27)
ORDERS = Relation("public.orders", "table", 50 * 1024 * 1024, 400_000)
UNKNOWN = Relation("public.users", "table", 8192, -1)
TINY = Relation("public.currencies", "table", 16_384, 40)


def step(*sent: str | Statement, revision: str = "a1", **facts: Any) -> Step:
    """A step of these statements."""
    statements = [Statement(one) if isinstance(one, str) else one for one in sent]
    known: dict[str, Any] = {"file": f"versions/{revision}_x.py", "downgrade": "proven", **facts}
    return Step(revision=revision, kind=StepKind.SQL, statements=statements, **known)


def plan(*steps: Step, evidence: str = "Static", **facts: Any) -> PlanDocument:
    """A plan of these steps."""
    known: dict[str, Any] = {"relations": [ORDERS, UNKNOWN, TINY], **facts}
    return PlanDocument(
        direction=known.pop("direction", Direction.UPGRADE),
        evidence=evidence,
        from_revisions=["a0"],
        to_revisions=[steps[-1].revision] if steps else [],
        inputs={},
        inputs_digest="",
        statements_digest="",
        digest="",
        bundle_digest="",
        journal_id=0,
        identity="",
        server_major=18,
        search_path=["public"],
        steps=list(steps),
        **known,
    )


def reviewed(*sent: str | Statement, evidence: str = "Static", **facts: Any) -> Lint:
    """The review of one step."""
    return lint(plan(step(*sent), evidence=evidence, **facts), TODAY)


def found(result: Lint) -> set[str]:
    """`rule:severity` of each finding."""
    return {f"{one.rule}:{one.severity}" for one in result.findings}


def outside(sql: str, **facts: Any) -> Statement:
    """A statement of an autocommit block."""
    return replace(Statement(sql, **facts), autocommit=True)
