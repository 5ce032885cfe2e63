"""`spec.review`: what a plan needs before it may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from alembic_operator.api import rules
from alembic_operator.api.rules import require
from alembic_operator.api.values import Digest, Image, one_of

MODES = ("Auto", "OnFindings", "Required")  # from the weakest to the strictest
FAIL_ON = ("error", "warning")
EVIDENCE = ("Shadow", "Static")
NETWORKS = ("Closed", "Open")
SEVERITIES = ("error", "warning", "off")

# Ids of the rules, which `review.rules` may name.
HISTORY_RULES = ("multiple-heads", "inserted-revision", "edited-revision")
NEVER_LOWERED = ("transaction-escape", *HISTORY_RULES)
RULE_IDS = (
    "destructive",
    "rewrite",
    "long-scan",
    "not-null-without-backfill",
    "type-change",
    "constraint-validation",
    "unique-on-existing",
    "index-not-concurrent",
    "fk-index",
    "snake-case",
    "uuid-pk",
    "timestamps",
    "jsonb",
    "unbatched-dml",
    "version-table",
    "transaction-escape",
    "mixed-autocommit",
    "irreversible",
    "first-contact",
    *HISTORY_RULES,
)

# The rules' own severities, for who compares two `review.rules`: a warning; a warning or an error; the others an error.
OWN_WARNINGS = ("fk-index", "snake-case", "uuid-pk", "timestamps")
OWN_EITHER = (
    "destructive",
    "rewrite",
    "long-scan",
    "unique-on-existing",
    "jsonb",
    "unbatched-dml",
    "first-contact",
    "irreversible",
)


@dataclass(frozen=True)
class ShadowImage:
    """The shadow's PostgreSQL image ("" for the operator's own for the server's version) and the user in it."""

    image: Image = ""
    run_as_user: int = 999

    @property
    def pinned(self) -> bool:
        """Whether the image, where one is named, names one content for ever."""
        return not self.image or rules.PINNED.search(self.image) is not None


@dataclass(frozen=True)
class Review:
    """What a plan needs before it may run.

    Attributes:
        mode: Auto, OnFindings or Required.
        approved_digest: of the plan that Git approves; "" for none.
        fail_on: error or warning; the findings that count for OnFindings.
        rules: severities (error, warning, off) that replace those of the rules.
        evidence: Shadow or Static.
        network: Closed or Open; whether a plan run may reach more than the target and the shadow.
    """

    mode: Annotated[str, one_of(*MODES)] = "OnFindings"
    approved_digest: Digest = ""
    fail_on: Annotated[str, one_of(*FAIL_ON)] = "error"
    rules: Mapping[str, str] = field(default_factory=dict)
    evidence: Annotated[str, one_of(*EVIDENCE)] = "Shadow"
    network: Annotated[str, one_of(*NETWORKS)] = "Closed"
    shadow: ShadowImage = field(default_factory=ShadowImage)


def stricter(mode: str, minimum: str) -> str:
    """The mode that counts in a namespace whose label minimum-review says `minimum` ("" without one).

    A label that says anything else counts as Required, as in the admission policy.
    """
    floor = minimum or "Auto"
    return max(mode, floor if floor in MODES else "Required", key=MODES.index)


def check_review(review: Review) -> None:
    """Refuse rules that there are not, and severities that a rule cannot have.

    Raises:
        InvalidSpec: a rule is broken; the error names the field.
    """
    path = "spec.review.rules"
    require(set(review.rules) <= set(RULE_IDS), path, rules.REVIEW_RULE_NAMES)
    for severity in review.rules.values():
        one_of(*SEVERITIES)(severity, path)
    lowered = [name for name in NEVER_LOWERED if review.rules.get(name, "error") != "error"]
    require(not lowered, path, rules.REVIEW_NEVER_LOWERED)
