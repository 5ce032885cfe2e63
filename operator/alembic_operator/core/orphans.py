"""Which of the objects that we made are nobody's: what they were made for is gone, and nothing else takes them away.

Kubernetes' garbage collector takes what has a controller that is gone. It leaves what lost its ownerReference:
`kubectl delete --cascade=orphan`, or a tool that writes objects back without it. Such a Job, or the pod of such a Job,
would go on with a migration that nobody wants any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.controller import controller_of

Raw = Mapping[str, Any]

COMPONENTS = ("migration", "plan")  # Jobs and their pods; plans and their SQL


def is_uncontrolled(raw: Raw) -> bool:
    """Whether it was made for a DatabaseSchema, stays, and has no controller whose end would be its own."""
    meta = raw["metadata"]
    if meta.get("deletionTimestamp") or (meta.get("labels") or {}).get(names.LABEL_COMPONENT) not in COMPONENTS:
        return False
    return controller_of(raw) is None


def is_orphan(raw: Raw, living: Collection[str]) -> bool:
    """Whether nobody controls it, and the resource that its label names is none of these uids."""
    return is_uncontrolled(raw) and (raw["metadata"].get("labels") or {}).get(names.LABEL_UID, "") not in living
