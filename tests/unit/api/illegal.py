"""DatabaseSchemas that are refused: one table for two witnesses, the API server and the operator's own parser."""

from __future__ import annotations

from alembic_operator.api import rules

from .illegal_jobs import ILLEGAL_JOBS
from .manifests import ABSENT, DIGEST, MIGRATIONS_IN_CONFIG_MAP, Illegal
from .refusals import refused, text, unknown

DURATION_PATTERN = "should match '^([0-9]{1,6}(ms|s|m|h))+$'"


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
            "section": "shop",
            "x": ["tenant=a"],
            "connectionEnv": [{"name": "DATABASE_URL", "part": "uri"}],
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
        {"migrations.environment": "Shared"},
        "migrations.environment",
        'Unsupported value: "Shared": supported values: "Project", "Managed"',
    ),
    refused(
        "an argument without a key",
        {"migrations.x": ["=a"]},
        "migrations.x[0]",
        'Invalid value: "=a": ',
        rule=rules.ARGUMENT_RULE,
    ),
    refused(
        "a variable of the interpreter's",
        {"migrations.connectionEnv": [{"name": "PYTHONPATH", "part": "host"}]},
        "migrations.connectionEnv",
        rule=rules.CONNECTION_RESERVED,
    ),
    refused(
        "a variable of libpq's that is no part of the connection",
        {"migrations.connectionEnv": [{"name": "PGOPTIONS", "part": "host"}]},
        "migrations.connectionEnv",
        rule=rules.CONNECTION_RESERVED,
    ),
    refused(
        "a scheme of a host",
        {"migrations.connectionEnv": [{"name": "DB_HOST", "part": "host", "scheme": "postgresql"}]},
        "migrations.connectionEnv[0]",
        rule=rules.SCHEME_RULE,
    ),
    text("a qualified version table", "migrations.versionTable.name", "shop.version", rules.IDENTIFIER_RULE),
    text("a schema that begins with a digit", "migrations.versionTable.schema", "1shop", rules.IDENTIFIER_RULE),
    Illegal("no revision", {"spec.revision": ABSENT}, "spec", "Invalid value: ", rules.ONE_TARGET),
    Illegal(
        "a revision beside revisions", {"spec.revisions": ["a2", "b2"]}, "spec", "Invalid value: ", rules.ONE_TARGET
    ),
    *(
        refused(
            name,
            {"revision": ABSENT, "revisions": ["9c1f22aa01bd", value]},
            "revisions[1]",
            f'Invalid value: "{value}": ',
            rules.REVISIONS_RULE,
        )
        for name, value in {
            "head among revisions": "head",
            "heads among revisions": "heads",
            "base among revisions": "base",
            "a branch's head among revisions": "shop@head",
            "a relative revision among revisions": "a+1",
            "two revisions in one text": "a2,b2",
        }.items()
    ),
    refused(
        "no revision in revisions",
        {"revision": ABSENT, "revisions": []},
        "revisions",
        "Invalid value: 0: spec.revisions in body should have at least 1 items",
    ),
    refused(
        "a revision named twice",
        {"revision": ABSENT, "revisions": ["a", "a"]},
        "revisions[1]",
        'Duplicate value: "a"',
    ),
    refused(
        "an empty revision",
        {"revision": ""},
        "revision",
        'Invalid value: "": spec.revision in body should be at least 1',
    ),
    *(
        text(name, "revision", value, rules.REVISION_RULE)
        for name, value in {
            "base": "base",
            "a relative revision": "head-1",
            "a branch label": "shop@head",
            "a range of revisions": "0001:0002",
            "a revision with a quote": "it's",
            "a revision with a hyphen": "2026-11-23",
            "a revision with a space before it": " 0001",
        }.items()
    ),
    refused(
        "a revision of 256 characters",
        {"revision": "f" * 256},
        "revision",
        "Too long: may not be more than 255",
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
        for key, value in {"mode": "Never", "failOn": "off", "evidence": "None", "network": "Ajar"}.items()
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
    *ILLEGAL_JOBS,
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
