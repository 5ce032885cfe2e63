"""What the operator is told by its environment, read once. An illegal value ends the start, and says what is legal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

PREFIX = "ALEMBIC_OPERATOR"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_IDENTITY = re.compile(r"[A-Za-z0-9._:/-]{1,253}")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]{0,255}(@sha256:[0-9a-f]{64})?")


class InvalidSetting(Exception):
    """An environment variable cannot be used.

    Attributes:
        variable: its name.
        value: what it holds; None when it is not set.
        allowed: what it may hold.
    """

    def __init__(self, variable: str, value: str | None, allowed: str) -> None:
        found = "it is not set" if value is None else f"found {value!r}"
        super().__init__(f"invalid environment variable {variable}: {found}; must be {allowed}")
        self.variable = variable
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True)
class Settings:
    """The settings of one replica.

    Attributes:
        namespace: where the operator runs, and its Lease is.
        pod: the name of this replica; it holds the Lease by it.
        watch_namespaces: the only namespaces to work in; empty for all.
        cluster_id: what tells this cluster from others in a database's journal; "" for the uid of kube-system.
        development_namespaces: taken for development ones whatever their labels say.
        runner_image: the image for migrations that come from a ConfigMap; "" when there is none.
        runner_file: the zipapp that Jobs get.
        shadow_images: PostgreSQL images by major version, for the scratch databases of plan runs.
        admission_policies: whether the chart's ValidatingAdmissionPolicies are installed.
        log_level: one of LEVELS.
        workers: resources that are worked on at the same time.
        resync: seconds from one look at every resource to the next.
        health_port: for /healthz and /readyz.
        metrics_port: for /metrics.
        lease: the name of the Lease.
    """

    namespace: str
    pod: str
    watch_namespaces: tuple[str, ...] = ()
    cluster_id: str = ""
    development_namespaces: tuple[str, ...] = ()
    runner_image: str = ""
    runner_file: Path = Path("/usr/share/alembic-operator/runner.pyz")
    shadow_images: Mapping[int, str] = field(default_factory=dict)
    admission_policies: bool = True
    log_level: str = "INFO"
    workers: int = 8
    resync: float = 3600.0
    health_port: int = 8080
    metrics_port: int = 9090
    lease: str = "alembic-operator"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read ALEMBIC_OPERATOR_*. A variable that is empty counts as not set.

        Raises:
            InvalidSetting: the first variable that is missing or illegal.
        """
        read = _Reader(environ)
        settings = cls(
            namespace=read.text("NAMESPACE", _LABEL, "a namespace name"),
            pod=read.text("POD", _SUBDOMAIN, "a pod name"),
            watch_namespaces=read.names("WATCH_NAMESPACES"),
            cluster_id=read.text("CLUSTER_ID", _IDENTITY, "at most 253 letters, digits and . _ : / -", cls.cluster_id),
            development_namespaces=read.names("DEVELOPMENT_NAMESPACES"),
            runner_image=read.text("RUNNER_IMAGE", _IMAGE, "an image reference", cls.runner_image),
            runner_file=read.file("RUNNER_FILE", cls.runner_file),
            shadow_images=read.images("SHADOW_IMAGES"),
            admission_policies=read.flag("ADMISSION_POLICIES", cls.admission_policies),
            log_level=read.level("LOG_LEVEL", cls.log_level),
            workers=read.number("WORKERS", 1, 64, cls.workers),
            resync=read.number("RESYNC", 10, 86400, int(cls.resync)),
            health_port=read.number("HEALTH_PORT", 1, 65535, cls.health_port),
            metrics_port=read.number("METRICS_PORT", 1, 65535, cls.metrics_port),
            lease=read.text("LEASE", _SUBDOMAIN, "a Lease name", cls.lease),
        )
        if settings.health_port == settings.metrics_port:
            port = str(settings.metrics_port)
            raise InvalidSetting(f"{PREFIX}_METRICS_PORT", port, f"a different port from {PREFIX}_HEALTH_PORT")
        return settings


class _Reader:
    """Reads variables by the part of their name after the prefix; raises InvalidSetting."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def _value(self, name: str) -> str:
        return self._environ.get(f"{PREFIX}_{name}", "").strip()

    def _illegal(self, name: str, allowed: str) -> InvalidSetting:
        variable = f"{PREFIX}_{name}"
        return InvalidSetting(variable, self._environ.get(variable), allowed)

    def text(self, name: str, pattern: re.Pattern[str], allowed: str, default: str | None = None) -> str:
        value = self._value(name)
        if not value and default is not None:
            return default
        if not pattern.fullmatch(value):
            raise self._illegal(name, allowed)
        return value

    def names(self, name: str) -> tuple[str, ...]:
        value = self._value(name)
        parts = [part.strip() for part in value.split(",")] if value else []
        if not all(_LABEL.fullmatch(part) for part in parts):
            raise self._illegal(name, "a comma-separated list of namespace names")
        return tuple(dict.fromkeys(parts))

    def number(self, name: str, least: int, most: int, default: int) -> int:
        value = self._value(name)
        if not value:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise self._illegal(name, f"an integer from {least} to {most}")
        return int(value)

    def level(self, name: str, default: str) -> str:
        value = self._value(name).upper() or default
        if value not in LEVELS:
            raise self._illegal(name, "one of " + ", ".join(LEVELS))
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._value(name).lower()
        if value not in {"", "true", "false"}:
            raise self._illegal(name, "true or false")
        return value == "true" if value else default

    def images(self, name: str) -> dict[int, str]:
        """Images by a major version, as JSON: {"16": "postgres:16"}."""
        value = self._value(name)
        try:
            images = json.loads(value) if value else {}
            found = {int(major): image for major, image in images.items() if re.fullmatch(r"[1-9][0-9]", major)}
            legal = len(found) == len(images) and all(_IMAGE.fullmatch(image) for image in found.values())
        except (AttributeError, RecursionError, TypeError, ValueError):
            legal = False
        if not legal:
            raise self._illegal(name, "a JSON object of image references by PostgreSQL's major version")
        return found

    def file(self, name: str, default: Path) -> Path:
        path = Path(self._value(name) or default)
        if not path.is_absolute():
            raise self._illegal(name, "an absolute path")
        return path
