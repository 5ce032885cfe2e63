"""Kubernetes Events: one sentence on a transition, for `kubectl describe`. Losing one loses no fact."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from alembic_operator.api import names
from alembic_operator.api.instant import to_text
from alembic_operator.core.model.decision import Event
from alembic_operator.core.model.observed import DatabaseSchema

MESSAGE_LIMIT = 1024  # bytes; the API server refuses more


def event_body(schema: DatabaseSchema, event: Event, now: datetime, pod: str) -> dict[str, Any]:
    """The Event about a DatabaseSchema, reported by this operator's pod."""
    message = event.message.encode()[:MESSAGE_LIMIT].decode(errors="ignore")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{schema.name[:200]}.{uuid.uuid4().hex[:16]}", "namespace": schema.namespace},
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "namespace": schema.namespace,
            "name": schema.name,
            "uid": schema.uid,
        },
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason.value,
        "message": message,
        "firstTimestamp": to_text(now),
        "lastTimestamp": to_text(now),
        "count": 1,
        "source": {"component": names.FIELD_MANAGER},
        "reportingComponent": f"{names.GROUP}/operator",
        "reportingInstance": pod,
    }
