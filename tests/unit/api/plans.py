"""SchemaPlans for tests: a full one, and tables of those that the API server takes and refuses, as changes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from alembic_operator.api.plan import PlanFinding, PlanSpec, PlanStep, SchemaPlan, SqlPart, plan_to_raw

from .manifests import ABSENT, IMAGE, changed

SHA256 = "0123456789abcdef" * 4
DIGEST = f"sha256:{SHA256}"
FINDING = PlanFinding(
    rule="fk-index",
    severity="warning",
    revision="51c2aa01bd9f",
    object="public.orders.region_id",
    message="the foreign key orders_region_id_fkey has no index that begins with region_id: deleting a region reads "
    "all of orders",
    fix="op.create_index('orders_region_id', 'orders', ['region_id'])",
    statement=2,
)
WAIVED = PlanFinding(
    "destructive",
    "error",
    "8b7d0e44aa10",
    "public.orders.legacy",
    "drops a column",
    "",
    1,
    "SHOP-7: unread",
    "2026-12-31",
)
STEPS = (
    PlanStep(
        "51c2aa01bd9f", True, "SQL", 3, "add region", "ALTER TABLE orders ADD COLUMN region_id bigint;",
        "ACCESS EXCLUSIVE on public.orders", (FINDING,),
    ),
    PlanStep("8b7d0e44aa10", False, "Opaque", 1, "drop legacy", findings=(WAIVED,)),
)  # fmt: skip
PLAN_SPEC = PlanSpec(
    digest=DIGEST,
    inputs_digest=DIGEST,
    bundle_digest=DIGEST,
    direction="Upgrade",
    from_revisions=("3f2a9c1d7e55",),
    to_revisions=("8b7d0e44aa10",),
    image=IMAGE,
    database=DIGEST,
    evidence="Shadow",
    journal_id=7,
    errors=0,
    warnings=1,
    steps=STEPS,
    sql=(SqlPart("shop-01234567-0", SHA256), SqlPart("shop-01234567-1", SHA256)),
    guard_sha256=SHA256,
)
PLAN = SchemaPlan(
    namespace="shop",
    name="shop-01234567",
    uid="",
    version="",
    schema_name="shop",
    schema_uid="6a0e1f6e-5a3c-4b8e-9d53-0d8f6f0c7b11",
    labels={"alembic-operator.dev/schema": "shop"},
    plan=PLAN_SPEC,
)
_LONG = replace(FINDING, message="m" * 5000, fix="f" * 5000, object="o" * 5000)
_LARGE = replace(STEPS[0], excerpt="é" * 5000, message="m" * 5000, findings=(_LONG,) * 3)
HUGE: dict[str, tuple[PlanStep, ...]] = {  # steps beyond what a plan may hold
    "texts of any length": (_LARGE,) * 3,
    "a hundred revisions": (_LARGE,) * 100,
    "a long history": tuple(replace(STEPS[0], revision=f"{at:012x}", findings=()) for at in range(2000)),
    "a step with a thousand findings": (replace(_LARGE, findings=(_LONG,) * 1000),),
    "five hundred steps of ten findings": (replace(STEPS[0], findings=(FINDING,) * 10),) * 500,
}
PLAIN_PLAN: dict[str, Any] = plan_to_raw(PLAN)


@dataclass(frozen=True)
class PlanCase:
    """A SchemaPlan by changes of the plain one; `message` is part of what the API server says, "" when it takes it."""

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    message: str = ""

    @property
    def manifest(self) -> dict[str, Any]:
        """The whole manifest."""
        return changed(PLAIN_PLAN, self.changes)


def _plan(name: str, changes: dict[str, Any], message: str = "") -> PlanCase:
    return PlanCase(name, {f"spec.plan.{path}": value for path, value in changes.items()}, message)


_STEP: dict[str, Any] = PLAIN_PLAN["spec"]["plan"]["steps"][0]
_FOUND: dict[str, Any] = _STEP["findings"][0]

LEGAL_PLANS: tuple[PlanCase, ...] = (
    PlanCase("the plain one"),
    _plan("one from base", {"from": [], "fromRevision": "<base>"}),
    _plan("one to base", {"to": [], "toRevision": "<base>", "direction": "Downgrade"}),
    _plan("one between two heads", {"from": ["a", "b"], "fromRevision": "a,b"}),
    _plan("one without steps", {"steps": [], "stepCount": 0, "direction": "Baseline"}),
    _plan("one whose steps did not all fit", {"stepCount": 2000, "findingsLeftOut": 3}),
    _plan("one without a guard", {"guard": ABSENT, "evidence": "Static"}),
    _plan("one whose SQL could not be stored", {"sql": []}),
    _plan("one of migrations in a ConfigMap", {"image": ABSENT}),
    _plan("one with findings about the whole", {"findings": [{"rule": "multiple-heads", "severity": "error"}]}),
    _plan("one of a repair", {"direction": "Repair"}),
)

ILLEGAL_PLANS: tuple[PlanCase, ...] = (
    PlanCase("no spec", {"spec": ABSENT}, "spec: Required value"),
    PlanCase("no plan", {"spec.plan": ABSENT}, "spec.plan: Required value"),
    PlanCase("no schema", {"spec.schemaRef": ABSENT}, "spec.schemaRef: Required value"),
    PlanCase("a schema without a uid", {"spec.schemaRef": {"name": "shop"}}, "spec.schemaRef.uid: Required value"),
    PlanCase(
        "a schema of no legal name", {"spec.schemaRef.name": "Shop"}, 'spec.schemaRef.name: Invalid value: "Shop"'
    ),
    *(
        _plan(f"no {key}", {key: ABSENT}, f"spec.plan.{key}: Required value")
        for key in (
            *("digest", "inputsDigest", "bundleDigest", "direction", "from", "to", "database", "evidence", "journalId"),
            *("errors", "warnings", "stepCount", "steps", "sql"),
        )
    ),
    _plan("a digest that is cut", {"digest": "sha256:0123"}, 'spec.plan.digest: Invalid value: "sha256:0123"'),
    _plan(
        "a digest of another algorithm", {"inputsDigest": "sha512:" + SHA256}, "spec.plan.inputsDigest: Invalid value: "
    ),
    _plan(
        "a direction that there is not", {"direction": "Sideways"}, 'spec.plan.direction: Unsupported value: "Sideways"'
    ),
    _plan("evidence that there is not", {"evidence": "Hearsay"}, 'spec.plan.evidence: Unsupported value: "Hearsay"'),
    _plan("a negative count", {"errors": -1}, "spec.plan.errors: Invalid value: -1"),
    _plan(
        "more steps than are listed", {"steps": [_STEP] * 513}, "spec.plan.steps: Too many: 513: must have at most 512"
    ),
    _plan("a step without a kind", {"steps": [{"revision": "a"}]}, "spec.plan.steps[0].kind: Required value"),
    _plan(
        "a finding of a made-up severity",
        {"steps": [{**_STEP, "findings": [{**_FOUND, "severity": "info"}]}]},
        'spec.plan.steps[0].findings[0].severity: Unsupported value: "info"',
    ),
    _plan("SQL without a hash", {"sql": [{"configMap": "x"}]}, "spec.plan.sql[0].sha256: Required value"),
    _plan("an empty guard", {"guard": {}}, "spec.plan.guard.sha256: Required value"),
    _plan("a field that no plan has", {"approved": True}, 'unknown field "spec.plan.approved"'),
    PlanCase("a decision of no one", {"spec.decision": {"type": "Approve"}}, "spec.decision.by: Required value"),
    PlanCase("a decision of nothing", {"spec.decision": {"by": "dana"}}, "spec.decision.type: Required value"),
    PlanCase(
        "a decision that there is not",
        {"spec.decision": {"type": "Maybe", "by": "dana"}},
        'spec.decision.type: Unsupported value: "Maybe": supported values: "Approve", "Reject"',
    ),
    PlanCase(
        "a decision some time",
        {"spec.decision": {"type": "Approve", "by": "dana", "at": "today"}},
        'spec.decision.at: Invalid value: "today"',
    ),
)
