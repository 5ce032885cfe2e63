"""From a request to the end of a migration: by a DatabaseSchema, or by a bare Job."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from demo.watch import condition, observed

from .api import JOBS, SCHEMAS
from .bed import NAMESPACE

if TYPE_CHECKING:
    from .api import Raw
    from .bed import Bed

_SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
_POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}


def by_resource(bed: Bed, schema: Raw) -> tuple[float, Raw]:
    """Seconds from the request to the watch event that says Ready=True, and the object of that event."""
    path, name = SCHEMAS.format(NAMESPACE), schema["metadata"]["name"]
    with bed.api.watch(path) as events:
        began = time.monotonic()
        bed.api.request("POST", path, schema)
        for at, raw in events:
            if raw["metadata"]["name"] != name or not observed(raw):
                continue
            if condition(raw, "Ready").get("status") == "True":
                return at - began, raw
            if condition(raw, "Stalled"):
                raise RuntimeError(f"{name}: {condition(raw, 'Ready')['message']}")
    raise AssertionError("a watch does not end by itself")


def by_bare_job(bed: Bed, name: str, config: str) -> tuple[float, Raw]:
    """Seconds from the request to the watch event that says Complete, and the object of that event."""
    path = JOBS.format(NAMESPACE)
    with bed.api.watch(path) as events:
        began = time.monotonic()
        bed.api.request("POST", path, _bare_job(bed, name, config))
        for at, raw in events:
            if raw["metadata"]["name"] != f"{name}-bare":
                continue
            if condition(raw, "Complete").get("status") == "True":
                return at - began, raw
            if condition(raw, "Failed"):
                raise RuntimeError(f"Job {name}-bare: {condition(raw, 'Failed')['message']}")
    raise AssertionError("a watch does not end by itself")


def _bare_job(bed: Bed, name: str, config: str) -> dict[str, Any]:
    """What a team has without an operator: `alembic upgrade head` in the same image, with the same Secret."""
    container = {
        "name": "migration",
        "image": bed.image,
        "command": ["alembic", "-c", config, "upgrade", "head"],
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": name, "key": "uri"}}}],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "securityContext": _SECURITY,
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _POD_SECURITY,
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{name}-bare", "namespace": NAMESPACE},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }
