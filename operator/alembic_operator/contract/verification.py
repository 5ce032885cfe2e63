"""How it is known that a schema is the one that the history makes up to its version rows.

The journal keeps it beside the revisions that others applied, results carry it, and the condition `Verified` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class VerifiedReason(str, Enum):
    """The reason of the condition `Verified`."""

    APPLIED = "Applied"  # the operator applied every revision itself
    COMPARED = "Compared"  # the history was replayed in a scratch database, and makes this schema
    ACCEPTED = "Accepted"  # spec.baseline names these revisions and this schema's fingerprint
    NOT_COMPARED = "NotCompared"  # the version rows alone say so: no shadow, or a history that cannot be replayed
    DIFFERENT = "Different"  # the history makes another schema

    @property
    def condition_status(self) -> str:
        """`True`, `False` or `Unknown`."""
        return {VerifiedReason.DIFFERENT: "False", VerifiedReason.NOT_COMPARED: "Unknown"}.get(self, "True")


@dataclass(frozen=True)
class Verification:
    """What is known of a schema, and how.

    Attributes:
        reason: why it counts as verified, or not.
        message: sentences for people: what was compared with what, and what was found.
        fingerprint: of the schema when it was compared; "" where none was taken.
    """

    reason: VerifiedReason
    message: str
    fingerprint: str = ""
