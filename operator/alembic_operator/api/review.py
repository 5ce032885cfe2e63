"""`spec.review`: what a plan needs before it may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alembic_operator.api import rules
from alembic_operator.api.rules import Raw, require

PATH = "spec.review"
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

    image: str = ""
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

    mode: str = "OnFindings"
    approved_digest: str = ""
    fail_on: str = "error"
    rules: Mapping[str, str] = field(default_factory=dict)
    evidence: str = "Shadow"
    network: str = "Closed"
    shadow: ShadowImage = field(default_factory=ShadowImage)


def stricter(mode: str, minimum: str) -> str:
    """The mode that counts in a namespace whose label minimum-review says `minimum` ("" without one).

    A label that says anything else counts as Required, as in the admission policy.
    """
    floor = minimum or "Auto"
    return max(mode, floor if floor in MODES else "Required", key=MODES.index)


def parse_review(raw: Raw) -> Review:
    """Read the raw `spec.review`.

    Raises:
        InvalidSpec: a rule is broken; the error names the field.
    """
    review = Review(
        mode=_one_of(raw, "mode", "OnFindings", MODES),
        approved_digest=raw.get("approvedDigest") or "",
        fail_on=_one_of(raw, "failOn", "error", FAIL_ON),
        rules=dict(raw.get("rules") or {}),
        evidence=_one_of(raw, "evidence", "Shadow", EVIDENCE),
        network=_one_of(raw, "network", "Closed", NETWORKS),
        shadow=_shadow(raw.get("shadow") or {}),
    )
    check_digest(review.approved_digest, f"{PATH}.approvedDigest")
    require(set(review.rules) <= set(RULE_IDS), f"{PATH}.rules", rules.REVIEW_RULE_NAMES)
    for severity in review.rules.values():
        require(severity in SEVERITIES, f"{PATH}.rules", _known(SEVERITIES))
    lowered = [name for name in NEVER_LOWERED if review.rules.get(name, "error") != "error"]
    require(not lowered, f"{PATH}.rules", rules.REVIEW_NEVER_LOWERED)
    return review


def check_digest(digest: str, path: str) -> None:
    """Refuse what is neither empty nor a digest."""
    require(not digest or rules.DIGEST.fullmatch(digest) is not None, path, rules.DIGEST_RULE)


def _one_of(raw: Raw, key: str, default: str, known: tuple[str, ...]) -> str:
    value: str = raw.get(key) or default
    require(value in known, f"{PATH}.{key}", _known(known))
    return value


def _known(words: tuple[str, ...]) -> str:
    return f"must be one of {', '.join(words)}"


def _shadow(raw: Raw) -> ShadowImage:
    image = raw.get("image") or ""
    if image:
        rules.check_image(image, f"{PATH}.shadow.image")
    return ShadowImage(image=image, run_as_user=int(raw.get("runAsUser", 999)))
