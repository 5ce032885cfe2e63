"""The runner's zipapp, and the immutable ConfigMap that brings it into a namespace.

The name is made from the content, but an existing one is compared by content: whoever may write ConfigMaps could have
put another there. The Job pins the hash in any case.
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic_operator.api import names
from alembic_operator.cluster.errors import AlreadyExists, NotFound
from alembic_operator.cluster.port import Cluster, Kind
from alembic_operator.contract import job_env
from alembic_operator.control.serve import log
from alembic_operator.core.job.names import runner_config_map

COMPONENT = "runner"
REMEMBERED = 300.0  # seconds that a namespace is taken to have the ConfigMap; a pod that lacks it has it made anew
SELECTOR = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY},{names.LABEL_COMPONENT}={COMPONENT}"

_log = log.get(__name__)


@dataclass(frozen=True)
class RunnerConfigMap:
    """The zipapp as this version of the operator carries it."""

    content: bytes
    _seen: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, path: Path) -> RunnerConfigMap:
        """Read the file that the operator's image carries. Raises OSError."""
        return cls(path.read_bytes())

    @property
    def sha256(self) -> str:
        """64 hex digits over the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def config_map(self) -> str:
        """The ConfigMap's name."""
        return runner_config_map(self.sha256)

    async def ensure(self, cluster: Cluster, namespace: str, *, anew: bool = False) -> None:
        """See to it that the namespace has the ConfigMap with this content; with `anew` not by memory.

        Raises:
            ClusterError: it could not be read or made.
        """
        seen = self._seen.get(namespace)
        if seen is not None and time.monotonic() - seen < REMEMBERED and not anew:
            return
        await self._ensure(cluster, namespace)
        self._seen[namespace] = time.monotonic()

    async def _ensure(self, cluster: Cluster, namespace: str) -> None:
        try:
            found = await cluster.get(Kind.CONFIG_MAP, namespace, self.config_map)
        except NotFound:
            await self._create(cluster, namespace)
            return
        if (found.get("binaryData") or {}).get(job_env.RUNNER_FILE) == self._encoded() and found.get("immutable"):
            return
        _log.warning("replacing a ConfigMap that has the runner's name and other contents", config_map=self.config_map)
        await cluster.delete(Kind.CONFIG_MAP, namespace, self.config_map, found["metadata"]["uid"])
        await self._create(cluster, namespace)

    async def _create(self, cluster: Cluster, namespace: str) -> None:
        try:
            await cluster.create(Kind.CONFIG_MAP, namespace, self._body(namespace))
        except AlreadyExists:
            _log.info("another worker created the runner's ConfigMap", config_map=self.config_map)

    def _encoded(self) -> str:
        return base64.b64encode(self.content).decode()

    def _body(self, namespace: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.config_map,
                "namespace": namespace,
                "labels": {
                    names.LABEL_APP: "alembic-operator",
                    names.LABEL_COMPONENT: COMPONENT,
                    names.LABEL_MANAGED_BY: names.MANAGED_BY,
                },
            },
            "immutable": True,
            "binaryData": {job_env.RUNNER_FILE: self._encoded()},
        }
