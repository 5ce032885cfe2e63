"""The rules, applied in a child process with limits of time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from alembic_operator.control.reconcile.plan_log import Checked, NotChecked
from alembic_operator.review.child_process import Limits, LintFailed, lint_in_child

# 20,000 statements in 7 MiB take 167 MB (measured). With the operator it stays within the pod's limit: beyond that the
# kernel would end both.
LIMITS = Limits(memory=384 * 1024 * 1024)


@dataclass(frozen=True)
class Linter:
    """Checks plans; how many at the same time is the caller's affair."""

    limits: Limits = LIMITS

    async def __call__(self, text: str, today: date) -> Checked:
        """Check the text of a plan document. Raises NotChecked."""
        try:
            return await lint_in_child(text, today, self.limits)
        except LintFailed as error:
            raise NotChecked(str(error)) from None
