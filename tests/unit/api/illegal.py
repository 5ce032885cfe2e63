"""DatabaseSchemas that are refused: one table for two witnesses, the API server and the operator's own parser."""

from __future__ import annotations

from typing import Any

from alembic_operator.api import rules

from .manifests import ABSENT, DIGEST, MIGRATIONS_IN_CONFIG_MAP, SIDECAR, Illegal

DURATION_PATTERN = "should match '^([0-9]{1,6}(ms|s|m|h))+$'"


def refused(name: str, changes: dict[str, Any], path: str, said: str = "", rule: str = "") -> Illegal:
    """An illegal manifest by changes of its spec; an illegal text is quoted in what is said."""
    return Illegal(
        name,
        {f"spec.{key}": value for key, value in changes.items()},
        f"spec.{path}",
        said or "Invalid value: ",
        rule,
    )


def unknown(name: str, changes: dict[str, Any], path: str) -> Illegal:
    """A field that strict reading refuses, and that a mistaken word would otherwise drop in silence."""
    return Illegal(name, {f"spec.{key}": value for key, value in changes.items()}, said=f'unknown field "spec.{path}"')


def text(name: str, path: str, value: str, rule: str) -> Illegal:
    """An illegal text at one path."""
    return refused(name, {path: value}, path, f'Invalid value: "{value}": ', rule)


def item(name: str, key: str, value: dict[str, Any], at: str, *, said: str = "", rule: str = "") -> Illegal:
    """An illegal item of one of the lists of spec.job."""
    return refused(name, {f"job.{key}": [value]}, f"job.{key}[0]{at}", said, rule)


def mount(name: str, path: str, rule: str) -> Illegal:
    """A mount of a legal volume at an illegal path."""
    return refused(
        name,
        {"job.volumes": [{"name": "ca", "emptyDir": {}}], "job.volumeMounts": [{"name": "ca", "mountPath": path}]},
        "job.volumeMounts[0].mountPath",
        f'Invalid value: "{path}": ',
        rule,
    )


ILLEGAL: tuple[Illegal, ...] = (
    Illegal(
        "a name with a dot", {"metadata.name": "shop.db"}, "<nil>", "Invalid value: metadata.name must be at most 63"
    ),
    Illegal(
        "a name of 64 characters", {"metadata.name": "s" * 64}, "<nil>", "Invalid value: metadata.name must be at most"
    ),
    Illegal("no spec", {"spec": ABSENT}, "spec", "Required value"),
    refused("no database", {"database": ABSENT}, "database", "Required value"),
    refused("no Secret", {"database": {}}, "database.secretRef", "Required value"),
    refused(
        "a Secret without a name", {"database.secretRef": {"key": "uri"}}, "database.secretRef.name", "Required value"
    ),
    refused(
        "a Secret's name that no Secret has",
        {"database.secretRef.name": "Shop_DB"},
        "database.secretRef.name",
        'Invalid value: "Shop_DB": spec.database.secretRef.name in body should match',
    ),
    refused(
        "no schema in the search path",
        {"database.searchPath": []},
        "database.searchPath",
        "Invalid value: 0: spec.database.searchPath in body should have at least 1 items",
    ),
    refused(
        "seventeen schemas",
        {"database.searchPath": ["a"] * 17},
        "database.searchPath",
        "Too many: 17: must have at most 16",
    ),
    refused(
        "SQL in the search path",
        {"database.searchPath": ["public", 'x"; drop table y']},
        "database.searchPath[1]",
        'Invalid value: "x\\"; drop table y": ',
        rules.IDENTIFIER_RULE,
    ),
    refused(
        "a role that is too long",
        {"database.role": "r" * 64},
        "database.role",
        "Too long: may not be more than 63 bytes",
    ),
    refused("no migrations", {"migrations": ABSENT}, "migrations", "Required value"),
    refused("no source", {"migrations": {}}, "migrations", rule=rules.ONE_SOURCE),
    refused("two sources", {"migrations.configMap": {"name": "x"}}, "migrations", rule=rules.ONE_SOURCE),
    text("an image without a tag", "migrations.image", "registry.example/shop", rules.UNTAGGED),
    text("a port instead of a tag", "migrations.image", "registry.example:5000/shop", rules.UNTAGGED),
    text("a digest that is cut", "migrations.image", "shop@sha256:0123", rules.REFERENCE_RULE),
    text("an image with a space", "migrations.image", "shop :1", rules.REFERENCE_RULE),
    *(
        refused(
            f"{key} beside a ConfigMap",
            {**MIGRATIONS_IN_CONFIG_MAP, f"migrations.{key}": value},
            "migrations",
            rule=rules.IMAGE_ONLY,
        )
        for key, value in {
            "path": "/app",
            "python": "python3",
            "configFile": "alembic.ini",
            "environment": "Managed",
            "pullSecrets": [{"name": "registry"}],
        }.items()
    ),
    text("a relative folder", "migrations.path", "app", rules.PATH_RULE),
    text("a folder above", "migrations.path", "/app/../etc", rules.PATH_RULE),
    text("an interpreter with arguments", "migrations.python", "python3 -O", rules.PYTHON_RULE),
    text("a relative interpreter", "migrations.python", ".venv/bin/python", rules.PYTHON_RULE),
    text("an absolute configuration file", "migrations.configFile", "/app/alembic.ini", rules.CONFIG_FILE_RULE),
    text("a configuration file above", "migrations.configFile", "../alembic.ini", rules.CONFIG_FILE_RULE),
    refused(
        "an environment of a later version",
        {"migrations.environment": "Project"},
        "migrations.environment",
        'Unsupported value: "Project": supported values: "Managed"',
    ),
    text("a qualified version table", "migrations.versionTable.name", "shop.version", rules.IDENTIFIER_RULE),
    text("a schema that begins with a digit", "migrations.versionTable.schema", "1shop", rules.IDENTIFIER_RULE),
    refused("no revision", {"revision": ABSENT}, "revision", "Required value"),
    refused(
        "an empty revision",
        {"revision": ""},
        "revision",
        'Invalid value: "": spec.revision in body should be at least 1',
    ),
    *(
        text(name, "revision", value, rules.REVISION_RULE)
        for name, value in {
            "heads": "heads",
            "base": "base",
            "a relative revision": "head-1",
            "a branch label": "shop@head",
            "a revision of 33 characters": "f" * 33,
        }.items()
    ),
    refused("a revision that YAML reads as a number", {"revision": 123456}, "revision", 'Invalid value: "integer": '),
    refused("a baseline without revisions", {"baseline": {}}, "baseline.revisions", "Required value"),
    *(
        refused(
            name,
            {"baseline": {"revisions": ["9c1f22aa01bd", value]}},
            "baseline.revisions[1]",
            f'Invalid value: "{value}": ',
            rules.BASELINE_REVISION,
        )
        for name, value in {
            "a baseline at head": "head",
            "a baseline at heads": "heads",
            "a baseline at base, by name": "base",
            "a baseline at a branch's head": "shop@head",
            "a baseline of 33 characters": "f" * 33,
        }.items()
    ),
    refused(
        "a baseline that names a revision twice",
        {"baseline": {"revisions": ["a", "a"]}},
        "baseline.revisions[1]",
        'Duplicate value: "a"',
    ),
    refused(
        "a fingerprint of nothing",
        {"baseline": {"revisions": [], "fingerprint": DIGEST[1:]}},
        "baseline",
        rule=rules.BASELINE_FINGERPRINT,
    ),
    refused(
        "a fingerprint that is cut",
        {"baseline": {"revisions": ["a"], "fingerprint": "sha256:0123"}},
        "baseline.fingerprint",
        'Invalid value: "sha256:0123": ',
        rules.DIGEST_RULE,
    ),
    refused(
        "review credentials without a Secret",
        {"database.reviewSecretRef": {"key": "uri"}},
        "database.reviewSecretRef.name",
        "Required value",
    ),
    *(
        refused(
            f"an unknown {key}",
            {f"review.{key}": value},
            f"review.{key}",
            f'Unsupported value: "{value}": supported values: ',
        )
        for key, value in {"mode": "Never", "failOn": "off", "evidence": "None"}.items()
    ),
    text("a digest that is cut", "review.approvedDigest", DIGEST[1:-1], rules.DIGEST_RULE),
    text("a digest in capitals", "review.approvedDigest", DIGEST[1:].upper(), rules.DIGEST_RULE),
    text("a digest without its algorithm", "review.approvedDigest", DIGEST[8:], rules.DIGEST_RULE),
    refused(
        "a digest with more behind it",
        {"review.approvedDigest": DIGEST[1:] + "0"},
        "review.approvedDigest",
        "Too long: may not be more than 71 bytes",
    ),
    refused(
        "a rule that there is not", {"review.rules": {"fk_index": "off"}}, "review.rules", rule=rules.REVIEW_RULE_NAMES
    ),
    refused("every rule at once", {"review.rules": {"*": "off"}}, "review.rules", rule=rules.REVIEW_RULE_NAMES),
    *(
        refused(
            f"{name} as {severity}",
            {"review.rules": {"fk-index": "off", name: severity}},
            "review.rules",
            rule=rules.REVIEW_NEVER_LOWERED,
        )
        for name, severity in {
            "transaction-escape": "off",
            "multiple-heads": "warning",
            "inserted-revision": "off",
            "edited-revision": "warning",
        }.items()
    ),
    refused(
        "a severity that there is not",
        {"review.rules": {"fk-index": "info"}},
        "review.rules.fk-index",
        'Unsupported value: "info": supported values: "error", "warning", "off"',
    ),
    text("a shadow image without a tag", "review.shadow.image", "postgis/postgis", rules.UNTAGGED),
    text("a shadow image with a space", "review.shadow.image", "postgis :17", rules.REFERENCE_RULE),
    refused(
        "a shadow that runs as root",
        {"review.shadow.runAsUser": 0},
        "review.shadow.runAsUser",
        "Invalid value: 0: spec.review.shadow.runAsUser in body should be greater",
    ),
    refused("downgrades as a text", {"allowDowngrade": "yes"}, "allowDowngrade", 'Invalid value: "string": '),
    text("a lock timeout of none", "timeouts.lock", "0s", rules.LOCK_ABOVE_ZERO),
    text("a run without end", "timeouts.run", "0h0m", rules.RUN_ABOVE_ZERO),
    text("a number without a unit", "timeouts.run", "3600", rules.DURATION_RULE),
    text("a fraction", "timeouts.lock", "1.5s", rules.DURATION_RULE),
    text("a negative timeout", "timeouts.statement", "-1s", rules.DURATION_RULE),
    text("a day", "timeouts.idleInTransaction", "1d", rules.DURATION_RULE),
    refused(
        "a duration that is no duration, for tools",
        {"timeouts.run": "soon"},
        "timeouts.run",
        f'Invalid value: "soon": spec.timeouts.run in body {DURATION_PATTERN}',
    ),
    text("more than a week", "timeouts.statement", "169h", rules.AT_MOST_A_WEEK),
    refused(
        "a negative limit",
        {"retry.limit": -1},
        "retry.limit",
        "Invalid value: -1: spec.retry.limit in body should be greater",
    ),
    text("a pause of none", "retry.backoff", "0s", rules.BACKOFF_RULE),
    text("a pause beyond the longest", "retry.backoff", "11m", rules.BACKOFF_RULE),
    refused(
        "no Job kept",
        {"historyLimit": 0},
        "historyLimit",
        "Invalid value: 0: spec.historyLimit in body should be greater",
    ),
    refused("suspend as a text", {"suspend": "yes"}, "suspend", 'Invalid value: "string": '),
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

UNKNOWN: tuple[Illegal, ...] = (
    unknown("a field that no version has", {"revison": "x"}, "revison"),
    unknown("a field of a later version", {"mode": "Push"}, "mode"),
    unknown("a person in the review", {"review": {"approvedBy": "dana"}}, "review.approvedBy"),
    unknown(
        "a volume of the host",
        {"job.volumes": [{"name": "x", "emptyDir": {}, "hostPath": {"path": "/"}}]},
        "job.volumes[0].hostPath",
    ),
    unknown("a security context", {"job.securityContext": {"privileged": True}}, "job.securityContext"),
)
