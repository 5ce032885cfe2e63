"""What is refused of spec.job: pods, variables, volumes, mounts and sidecars."""

from __future__ import annotations

from alembic_operator.api import rules

from .manifests import SIDECAR, Illegal
from .refusals import item, mount, refused

ILLEGAL_JOBS: tuple[Illegal, ...] = (
    refused(
        "the user root",
        {"job.runAsUser": 0},
        "job.runAsUser",
        "Invalid value: 0: spec.job.runAsUser in body should be greater",
    ),
    refused(
        "our label",
        {"job.podLabels": {"alembic-operator.dev/schema-uid": "x"}},
        "job.podLabels",
        rule=rules.POD_LABELS_RULE,
    ),
    refused(
        "the Job's label",
        {"job.podLabels": {"batch.kubernetes.io/job-name": "x"}},
        "job.podLabels",
        rule=rules.POD_LABELS_RULE,
    ),
    refused(
        "another manager",
        {"job.podLabels": {"app.kubernetes.io/managed-by": "Helm"}},
        "job.podLabels",
        rule=rules.POD_LABELS_RULE,
    ),
    refused("a label that no pod has", {"job.podLabels": {"a b": "x"}}, "job.podLabels", rule=rules.KEY_RULE),
    refused("a selector that no node has", {"job.nodeSelector": {"-": "x"}}, "job.nodeSelector", rule=rules.KEY_RULE),
    refused(
        "our annotation",
        {"job.podAnnotations": {"alembic-operator.dev/x": "x"}},
        "job.podAnnotations",
        rule=rules.POD_ANNOTATIONS_RULE,
    ),
    *(
        refused(f"the variable {key}", {"job.env": [{"name": key, "value": "x"}]}, "job.env", rule=rules.ENV_RESERVED)
        for key in ("PYTHONPATH", "LD_PRELOAD", "PGPASSWORD", "ALEMBIC_OPERATOR_RUN")
    ),
    item("a variable with a space", "env", {"name": "A B", "value": "x"}, ".name", said='Invalid value: "A B": '),
    item("a variable without a value", "env", {"name": "A"}, "", rule=rules.ENV_ONE_VALUE),
    item("a variable of the pod's fields", "env", {"name": "A", "valueFrom": {}}, ".valueFrom", rule=rules.ENV_ONE_REF),
    refused("a variable given twice", {"job.env": [{"name": "A", "value": "x"}] * 2}, "job.env[1]", "Duplicate value"),
    item("a volume of our name", "volumes", {"name": "alembic-operator-x", "emptyDir": {}}, "", rule=rules.VOLUME_NAME),
    item("a volume of nothing", "volumes", {"name": "x"}, "", rule=rules.VOLUME_ONE_SOURCE),
    item(
        "a volume of two things",
        "volumes",
        {"name": "x", "emptyDir": {}, "secret": {"secretName": "x"}},
        "",
        rule=rules.VOLUME_ONE_SOURCE,
    ),
    refused(
        "a mount of no volume", {"job.volumeMounts": [{"name": "x", "mountPath": "/x"}]}, "job", rule=rules.MOUNT_VOLUME
    ),
    mount("a relative mount", "x", rules.MOUNT_PATH),
    mount("a mount over the runner", "/alembic-operator/x", rules.MOUNT_RESERVED),
    mount("a mount over the Secret", "//alembic-operator-secret", rules.MOUNT_RESERVED),
    mount("a mount over /tmp", "/tmp/", rules.MOUNT_RESERVED),
    mount("a mount over the devices", "/dev/termination-log", rules.MOUNT_RESERVED),
    mount("a mount over everything", "/", rules.MOUNT_RESERVED),
    refused(
        "a part above the volume",
        {
            "job.volumes": [{"name": "x", "emptyDir": {}}],
            "job.volumeMounts": [{"name": "x", "mountPath": "/x", "subPath": "../y"}],
        },
        "job.volumeMounts[0].subPath",
        'Invalid value: "../y": ',
        rules.MOUNT_SUB_PATH,
    ),
    item(
        "a sidecar of our name",
        "sidecars",
        {**SIDECAR, "name": "migration"},
        ".name",
        said='Invalid value: "migration": ',
        rule=rules.SIDECAR_NAME,
    ),
    item(
        "a sidecar without a tag",
        "sidecars",
        {**SIDECAR, "image": "proxy"},
        ".image",
        said='Invalid value: "proxy": ',
        rule=rules.UNTAGGED,
    ),
    item(
        "a probe of nothing",
        "sidecars",
        {**SIDECAR, "startupProbe": {"periodSeconds": 1}},
        ".startupProbe",
        rule=rules.PROBE_ONE_WAY,
    ),
    refused(
        "a quantity that is none",
        {"job.resources": {"limits": {"memory": "much"}}},
        "job.resources.limits.memory",
        'Invalid value: "much": ',
    ),
    refused(
        "a toleration of a made-up effect",
        {"job.tolerations": [{"effect": "Never"}]},
        "job.tolerations[0].effect",
        'Unsupported value: "Never"',
    ),
)
