"""Deterministic names: a run has the same name in every life of the operator, so a second create meets the first."""

from __future__ import annotations

import hashlib

from alembic_operator.contract.request import RunKind

_READABLE = 40  # characters of the resource's name; the whole stays a DNS label of at most 63


def job_name(schema: str, uid: str, kind: RunKind, trigger: str, attempt: int) -> str:
    """`<name up to 40>-<8 hex of sha256 over uid, kind and trigger>-<attempt>`.

    The trigger of an apply run is the generation, of a check what asked for it. The attempt never goes back.
    """
    mark = hashlib.sha256("\n".join((uid, kind.value, trigger)).encode()).hexdigest()[:8]
    return f"{schema[:_READABLE].replace('.', '-').rstrip('-')}-{mark}-{attempt}"


def runner_config_map(sha256: str) -> str:
    """The immutable ConfigMap that carries the runner, named by its content."""
    return f"alembic-operator-runner-{sha256[:12]}"


def plan_name(schema: str, digest: str) -> str:
    """`<name up to 40>-<first 8 hex of the digest>`: one plan a resource and digest."""
    return f"{schema[:_READABLE].replace('.', '-').rstrip('-')}-{digest.removeprefix('sha256:')[:8]}"
