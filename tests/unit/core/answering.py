"""What `decide` misses, and plans that it creates, as the control loop has them: plans are in a dict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from alembic_operator.api.plan import SchemaPlan
from alembic_operator.core.decide import decide
from alembic_operator.core.model.decision import ActionFailed, CreatePlan, Decision, ReadFloor, ReadPlan, ReadSql
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import Observed


@dataclass
class Answers:
    """Plans by name, the namespace's label, and what is wrong with the plans' SQL."""

    plans: dict[str, SchemaPlan] = field(default_factory=dict)
    floor: str = ""
    sql_fault: str = ""

    def decided(
        self, observed: Observed, now: datetime, installation: Installation, failed: ActionFailed | None = None
    ) -> tuple[Observed, Decision]:
        """The decision, with everything known that it hangs on, and its plan created."""
        for _ in range(8):
            decision = decide(observed, now, installation, failed)
            match decision.missing:
                case None:
                    match decision.actions:
                        case (CreatePlan(plan, _),):
                            assert decision == Decision(observed.schema.status, decision.actions)
                            stored = self.plans.setdefault(
                                plan.name, replace(plan, uid=f"uid-{plan.name}", version="1")
                            )
                            observed = replace(observed, plans={**observed.plans, plan.name: stored})
                        case _:
                            return observed, decision
                case ReadPlan(name):
                    observed = replace(observed, plans={**observed.plans, name: self.plans.get(name)})
                case ReadSql(plan):
                    observed = replace(observed, sql_faults={plan.name: self.sql_fault})
                case ReadFloor():
                    observed = replace(observed, floor=self.floor)
        raise AssertionError("a decision asks again for what it was told")
