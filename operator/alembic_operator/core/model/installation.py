"""What the operator's installation fixes for every decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Installation:
    """Constants of this installation.

    Attributes:
        cluster: an id of this cluster, part of who owns a database.
        runner_sha256: of the zipapp that this version of the operator mounts into Jobs, 64 hex digits.
        runner_image: the image that runs migrations which come from a ConfigMap.
        shadow_images: PostgreSQL images by major version, for the scratch databases of plan runs.
        admission_policies: whether the API server lets nobody but approvers write a decision; else only Git's counts.
    """

    cluster: str
    runner_sha256: str
    runner_image: str
    shadow_images: Mapping[int, str] = field(default_factory=dict)
    admission_policies: bool = True
