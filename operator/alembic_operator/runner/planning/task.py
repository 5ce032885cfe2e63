"""What a plan run has found out by the time it plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from ...contract.plan import Direction
from ...contract.request import RunRequest
from ...contract.result import DatabaseFacts
from ..database.driver import Driver, RawConnection
from ..database.journal import Journal
from ..database.search_path import SearchPath
from ..database.session import VersionTable
from ..history.load import History
from ..report import Report
from ..signals import Signals
from .network import Network

if TYPE_CHECKING:
    from .first_contact import Contact


@dataclass(frozen=True)
class Task:
    """What is to be planned.

    Attributes:
        target: the read-only session on the target.
        targets: the full ids that the database is to have, sorted.
        secrets: values that no plan may hold.
        began: when the run began, by time.monotonic().
        progress: told the revision that is under way in the shadow.
        network: which the steps may not reach.
        contact: what a comparison of the schema with the history found; None where none was called for.
    """

    request: RunRequest
    version_table: VersionTable
    search_path: SearchPath
    driver: Driver
    target: RawConnection
    history: History
    journal: Journal
    database: DatabaseFacts
    rows: list[str]
    targets: list[str]
    direction: Direction
    report: Report
    signals: Signals
    secrets: list[str]
    began: float
    progress: Callable[[str], None]
    network: Network
    contact: Contact | None = None
