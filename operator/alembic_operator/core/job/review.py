"""What reviews add to a Job's pod: the shadow beside a plan run, the guard of an approved plan for an apply run.

The shadow is a restartable init container without a startup probe: the migration's container starts beside it, and the
kubelet ends it with the pod. An ordinary init container, or a probe, costs 0.5 to 2 s, as the kubelet looks once a
second (measured).
"""

from __future__ import annotations

import re
from typing import Any

from alembic_operator.api.plan import SchemaPlan
from alembic_operator.api.spec import Spec
from alembic_operator.contract import job_env
from alembic_operator.contract.request import RunKind, RunRequest
from alembic_operator.core.job.shadow_script import script
from alembic_operator.core.model.installation import Installation

GUARD_KEY = "guard"  # of the plan's ConfigMaps, beside plan.sql

_SHARED, _DATA, _PLAN = "alembic-operator-shadow", "alembic-operator-shadow-data", "alembic-operator-plan"
_SHARED_LIMIT = "8Mi"  # memory: a socket and three small files
_DATA_LIMIT = "4Gi"  # disk: 40 MB with few tables, 257 MB with 2,000 (measured)
_RESOURCES = {"requests": {"cpu": "50m", "memory": "128Mi"}}


def has_shadow(request: RunRequest) -> bool:
    """Whether the run needs a scratch database beside it."""
    return request.kind is RunKind.PLAN and request.evidence != "Static"


def shadow_image(spec: Spec, server_version: str, installation: Installation) -> str:
    """The image of the shadow.

    Args:
        spec: may name one, which then is taken.
        server_version: of the target as the status has it, such as `16.4`; "" where none was read yet.
        installation: the images by major version.

    Returns:
        That of the server's major version, or else the newest; "" where the installation names none.
    """
    images = installation.shadow_images
    major = re.match("[0-9]{1,3}", server_version)
    known = images.get(int(major[0])) if major else None
    return spec.review.shadow.image or known or (images[max(images)] if images else "")


def is_guess(spec: Spec, installation: Installation) -> bool:
    """Whether the image of a shadow hangs on the version of a server that nobody has looked at."""
    return spec.review.evidence == "Shadow" and not spec.review.shadow.image and len(installation.shadow_images) > 1


def shadow_container(spec: Spec, request: RunRequest, security: dict[str, Any]) -> dict[str, Any]:
    """The shadow as an init container; its image is the request's."""
    # What the Secret's certificates are mounted by is needed for the dump too.
    mounts = [dict(mount) for mount in spec.job.volume_mounts]
    return {
        "name": job_env.SHADOW_CONTAINER,
        "image": request.shadow_image,
        "restartPolicy": "Always",
        "command": ["/bin/sh", "-c", script(), "shadow", job_env.SHADOW_DIRECTORY, job_env.SHADOW_DATA_DIRECTORY],
        # A quota on limits asks for them in every container.
        "resources": dict(spec.job.resources) or _RESOURCES,
        "securityContext": {**security, "runAsUser": spec.review.shadow.run_as_user},
        "volumeMounts": [
            {"name": _SHARED, "mountPath": job_env.SHADOW_DIRECTORY},
            {"name": _DATA, "mountPath": job_env.SHADOW_DATA_DIRECTORY},
            *mounts,
        ],
    }


def review_mounts(request: RunRequest) -> list[dict[str, Any]]:
    """The mounts that the migration's container gets."""
    mounts: list[dict[str, Any]] = []
    if has_shadow(request):
        mounts.append({"name": _SHARED, "mountPath": job_env.SHADOW_DIRECTORY})
    if _guarded(request):
        mounts.append({"name": _PLAN, "mountPath": job_env.PLAN_DIRECTORY, "readOnly": True})
    return mounts


def review_volumes(request: RunRequest, plan: SchemaPlan | None) -> list[dict[str, Any]]:
    """The volumes of these mounts; `plan` is the approved one."""
    volumes: list[dict[str, Any]] = []
    if has_shadow(request):
        volumes += [
            {"name": _SHARED, "emptyDir": {"medium": "Memory", "sizeLimit": _SHARED_LIMIT}},
            {"name": _DATA, "emptyDir": {"sizeLimit": _DATA_LIMIT}},
        ]
    if _guarded(request):
        parts = plan.plan.sql if plan is not None else ()
        # Optional, so that the runner reports a part that is missing; a pod would hang without a word.
        sources = [
            {
                "configMap": {
                    "name": part.config_map,
                    "items": [{"key": GUARD_KEY, "path": f"{job_env.GUARD_FILE}{index}"}],
                    "optional": True,
                }
            }
            for index, part in enumerate(parts)
        ]
        volumes.append({"name": _PLAN, "projected": {"sources": sources, "defaultMode": 0o444}})
    return volumes


def _guarded(request: RunRequest) -> bool:
    return request.approved is not None and request.approved.guard_sha256 != ""
