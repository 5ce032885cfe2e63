"""`spec.job`: what the user may say about the Job's pod. Pieces of a pod spec are checked and kept raw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from alembic_operator.api import rules
from alembic_operator.api.codec import Raw
from alembic_operator.api.names import GROUP, LABEL_MANAGED_BY
from alembic_operator.api.rules import require
from alembic_operator.contract import job_env

PATH = "spec.job"


@dataclass(frozen=True)
class JobShape:
    """What the user may say about the Job's pod; pieces of a pod spec are kept raw."""

    service_account_name: str = ""
    resources: Raw = field(default_factory=dict)
    node_selector: Raw = field(default_factory=dict)
    tolerations: tuple[Raw, ...] = ()
    priority_class_name: str = ""
    pod_labels: Raw = field(default_factory=dict)
    pod_annotations: Raw = field(default_factory=dict)
    env: tuple[Raw, ...] = ()
    volumes: tuple[Raw, ...] = ()
    volume_mounts: tuple[Raw, ...] = ()
    sidecars: tuple[Raw, ...] = ()
    run_as_user: int = 65532


def check_job(shape: JobShape) -> None:
    """Refuse what Kubernetes, or the operator, would not take.

    Raises:
        InvalidSpec: a rule is broken; the error names the field.
    """
    _check_names(shape)
    _check_env(shape.env, f"{PATH}.env")
    _check_volumes(shape)
    _check_sidecars(shape.sidecars)


def _one_of(raw: Raw, keys: Collection[str]) -> bool:
    return sum(key in raw for key in keys) == 1


def _check_names(shape: JobShape) -> None:
    keyed = {
        "nodeSelector": shape.node_selector,
        "podLabels": shape.pod_labels,
        "podAnnotations": shape.pod_annotations,
    }
    for name, entries in keyed.items():
        legal = all(rules.KEY.fullmatch(key) for key in entries)
        require(legal, f"{PATH}.{name}", rules.KEY_RULE)
    for label in shape.pod_labels:
        reserved = label.startswith((f"{GROUP}/", "batch.kubernetes.io/")) or label == LABEL_MANAGED_BY
        require(not reserved, f"{PATH}.podLabels", rules.POD_LABELS_RULE)
    for annotation in shape.pod_annotations:
        require(not annotation.startswith(f"{GROUP}/"), f"{PATH}.podAnnotations", rules.POD_ANNOTATIONS_RULE)
    for variable in shape.env:
        require(not rules.RESERVED_VARIABLE.search(variable["name"]), f"{PATH}.env", rules.ENV_RESERVED)


def _check_env(env: tuple[Raw, ...], path: str) -> None:
    for index, variable in enumerate(env):
        at = f"{path}[{index}]"
        require(_one_of(variable, ("value", "valueFrom")), at, rules.ENV_ONE_VALUE)
        source: Any = variable.get("valueFrom")
        if source is not None:
            require(_one_of(source, ("secretKeyRef", "configMapKeyRef")), f"{at}.valueFrom", rules.ENV_ONE_REF)


def _check_volumes(shape: JobShape) -> None:
    for index, volume in enumerate(shape.volumes):
        at = f"{PATH}.volumes[{index}]"
        require(not volume["name"].startswith("alembic-operator"), at, rules.VOLUME_NAME)
        require(_one_of(volume, ("secret", "configMap", "emptyDir", "csi")), at, rules.VOLUME_ONE_SOURCE)
    names = {volume["name"] for volume in shape.volumes}
    for index, mount in enumerate(shape.volume_mounts):
        at, path, sub_path = f"{PATH}.volumeMounts[{index}]", mount["mountPath"], mount.get("subPath", "")
        require(mount["name"] in names, PATH, rules.MOUNT_VOLUME)
        legal = path.startswith("/") and ".." not in path and ":" not in path
        require(legal, f"{at}.mountPath", rules.MOUNT_PATH)
        require(not rules.RESERVED_MOUNT.search(path), f"{at}.mountPath", rules.MOUNT_RESERVED)
        require(not sub_path.startswith("/") and ".." not in sub_path, f"{at}.subPath", rules.MOUNT_SUB_PATH)


def _check_sidecars(sidecars: tuple[Raw, ...]) -> None:
    for index, sidecar in enumerate(sidecars):
        at = f"{PATH}.sidecars[{index}]"
        require(sidecar["name"] != job_env.CONTAINER, f"{at}.name", rules.SIDECAR_NAME)
        rules.check_image(sidecar["image"], f"{at}.image")
        _check_env(tuple(sidecar.get("env") or ()), f"{at}.env")
        probe: Any = sidecar.get("startupProbe")
        if probe is not None:
            ways = ("exec", "httpGet", "tcpSocket", "grpc")
            require(_one_of(probe, ways), f"{at}.startupProbe", rules.PROBE_ONE_WAY)
