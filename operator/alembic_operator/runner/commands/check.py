"""A check: where the database stands, and whether anything is to be done about it. Nothing is sent."""

from __future__ import annotations

from ...contract.result import Outcome
from ..assessment.baseline import adopts
from ..context import RunContext
from ..database.driver import RawConnection
from ..history.graph import Standing
from .reading import assess_reading, check_other_tables, read_settled


def check(run: RunContext, connection: RawConnection) -> Outcome:
    """Read where the database stands.

    Returns:
        UpToDate or SchemaAhead; Behind where a plan is to be made, also one that sends nothing.

    Raises:
        RunFailed: what stands in the way.
    """
    reading = read_settled(run, connection)
    check_other_tables(run, connection, reading)
    if adopts(reading, run.request):
        return Outcome.BEHIND  # a plan is wanted, and a decision on it
    assessment = assess_reading(run, reading)
    if assessment.standing == Standing.BEHIND or assessment.adopt or assessment.resolved:
        return Outcome.BEHIND  # what others applied is compared before it is believed
    return Outcome.UP_TO_DATE if assessment.standing == Standing.EQUAL else Outcome.AHEAD
