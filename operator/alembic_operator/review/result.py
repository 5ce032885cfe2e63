"""What a review found, and how it goes from one process to another."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..core.model.findings import Finding, Severity


@dataclass(frozen=True)
class Lint:
    """What a review found.

    Attributes:
        findings: waived ones too; by step, then by statement.
        waiver_faults: what is wrong with waivers: sentences with the file and what to do. Each counts as an error.
    """

    findings: tuple[Finding, ...]
    waiver_faults: tuple[str, ...]

    def to_json(self) -> str:
        """The review as text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Lint:
        """Read a review.

        Raises:
            ValueError: it is none.
        """
        try:
            body = json.loads(text)
            found = tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in body["findings"])
            return cls(found, tuple(str(one) for one in body["waiver_faults"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no review: {type(error).__name__}") from None
