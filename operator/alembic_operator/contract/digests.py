"""The digests of a plan: what an approval names. docs/digests.md says how another implementation gets the same.

The algorithm has a version; a change of what is hashed is another version, never the same one.
"""

from __future__ import annotations

from typing import Any

from .canonical_json import digest
from .plan import Statement, Step

VERSION = 2


def inputs_digest(inputs: dict[str, Any]) -> str:
    """`sha256:…` over what a plan was made from; the runner computes it again under the lock."""
    return digest({"version": VERSION, **inputs})


def statements_digest(steps: list[Step]) -> str:
    """`sha256:…` over the fingerprints of each step, and where its autocommit blocks begin and end."""
    return digest({"version": VERSION, "steps": [_step(step) for step in steps]})


def plan_digest(inputs_digest: str, statements_digest: str) -> str:
    """`sha256:…` of the whole plan: what a person approves."""
    return digest({"version": VERSION, "inputs": inputs_digest, "statements": statements_digest})


def _step(step: Step) -> dict[str, Any]:
    otherwise = {"otherwise": _sent(step.otherwise)} if step.otherwise else {}
    return {
        "revision": step.revision,
        "kind": step.kind.value,
        "file": step.file_sha256,
        "statements": _sent(step.statements),
        **otherwise,
    }


def _sent(statements: list[Statement]) -> list[list[Any]]:
    return [[one.fingerprint, one.ddl, one.autocommit] for one in statements]
