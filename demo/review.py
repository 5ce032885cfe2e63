"""The second half of the story: a dangerous release stops, is read, repaired, approved, applied, and taken back."""

from __future__ import annotations

import json

from . import places, show
from .stage import Stage, apply, follow, set_image
from .watch import AWAITING, Raw, condition

CAREFUL = "0017_no_locales"
_BEFORE, _HASTY = "0015_user_locale", "0016_users_by_locale"
_PROD = ("-n", places.PROD)
_FINDINGS = (
    "jsonpath={range .spec.plan.steps[*].findings[*]}"
    r'{.severity} {.rule}: {.object}{"\n  "}{.message}{"\n  "}{.fix}{"\n"}{end}'
)


def tell(stage: Stage, hasty: str, careful: str) -> None:
    """Tell it; the images are those of the two tries."""
    _stopped(stage, hasty)
    _approved(stage, careful)
    _taken_back(stage, careful)


def _stopped(stage: Stage, image: str) -> None:
    show.chapter("5  A dangerous release: an index that blocks writers, and a table dropped")
    set_image("prod", image, _HASTY)
    plan = _awaiting(apply(stage, "prod"))
    show.say("Nothing was sent to the database. The plan can be read in the cluster:")
    stage.kubectl(*_PROD, "get", "splan")
    stage.kubectl(*_PROD, "get", "splan", plan, "-o", _FINDINGS)
    show.say("The whole SQL, with the effects of each statement in the shadow:")
    stage.kubectl(*_PROD, "get", "configmap", f"{plan}-0", "-o", r"jsonpath={.data.plan\.sql}")


def _approved(stage: Stage, image: str) -> None:
    show.chapter("6  The repair: the index is built concurrently; dropping the table is intended, and is approved")
    set_image("prod", image, CAREFUL)
    raw = apply(stage, "prod")
    plan = _awaiting(raw)
    stage.kubectl(*_PROD, "get", "splan", plan, "-o", _FINDINGS)
    me = stage.cluster.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    decision = {"type": "Approve", "by": me, "reason": "locales was never used"}
    patch = json.dumps({"spec": {"decision": decision}})
    follow(
        stage, places.PROD, lambda: stage.kubectl(*_PROD, "patch", "splan", plan, "--type", "merge", "-p", patch), raw
    )


def _taken_back(stage: Stage, image: str) -> None:
    show.chapter("7  The way back: a downgrade is planned, tried down, up and down in the shadow, and always approved")
    set_image("prod", image, _BEFORE, allowDowngrade=True)
    raw = apply(stage, "prod")
    _awaiting(raw)
    digest = raw["status"]["plan"]["digest"]
    show.say("This time the approval is in Git: spec.review.approvedDigest names the plan that was read.")
    set_image("prod", image, review={"approvedDigest": digest})
    apply(stage, "prod")
    stage.kubectl(*_PROD, "get", "splan")
    stage.kubectl(*_PROD, "get", "databaseschemas")


def _awaiting(raw: Raw) -> str:
    """The name of the plan that waits for a decision."""
    ready = condition(raw, "Ready")
    if ready.get("reason") != AWAITING:
        raise RuntimeError(f"the plan was to wait for a decision, and did not: {ready.get('message')}")
    name: str = raw["status"]["plan"]["name"]
    return name
