"""Answers to what `decide` asks, as the control loop gives them, from plans in a dict."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from alembic_operator.api.plan import SchemaPlan
from alembic_operator.core.decide import decide
from alembic_operator.core.model.decision import Decision, ReadFloor, ReadPlan, ReadSql, StorePlan
from alembic_operator.core.model.installation import Context
from alembic_operator.core.model.observed import Observed


@dataclass
class Answers:
    """Plans by name, the namespace's label, and what is wrong with the plans' SQL."""

    plans: dict[str, SchemaPlan] = field(default_factory=dict)
    floor: str = ""
    sql_fault: str = ""

    def decided(self, observed: Observed, now: datetime, context: Context) -> tuple[Observed, Decision]:
        """The decision, with everything known that it hangs on."""
        for _ in range(8):
            decision = decide(observed, now, context)
            match decision.question:
                case None:
                    return observed, decision
                case ReadPlan(name):
                    observed = replace(observed, plans={**observed.plans, name: self.plans.get(name)})
                case StorePlan(plan, _):
                    stored = self.plans.setdefault(plan.name, replace(plan, uid=f"uid-{plan.name}", version="1"))
                    observed = replace(observed, plans={**observed.plans, plan.name: stored})
                case ReadSql(plan):
                    observed = replace(observed, sql_faults={plan.name: self.sql_fault})
                case ReadFloor():
                    observed = replace(observed, floor=self.floor)
        raise AssertionError("a decision asks again for what it was told")
