"""DatabaseSchemas that the API server and the operator's own parser accept."""

from __future__ import annotations

from .manifests import ABSENT, DIGEST, MIGRATIONS_IN_CONFIG_MAP, SIDECAR, Legal, spec

LEGAL: tuple[Legal, ...] = (
    Legal("the plain one"),
    Legal("a name of 63 characters", {"metadata.name": "s" * 63}),
    Legal("annotations for a person's requests", {"metadata.annotations": {"alembic-operator.dev/retry-at": "now"}}),
    spec("another key of the Secret", {"database.secretRef.key": "DATABASE_URL"}),
    spec("two schemas in the search path", {"database.searchPath": ["shop", "public"]}),
    spec("an identifier with a dollar sign", {"database.searchPath": ["shop$1"]}),
    spec("an identifier of 63 characters", {"database.searchPath": ["s" * 63]}),
    spec("a role with a space, which is quoted", {"database.role": "shop owner"}),
    spec("an image with a tag", {"migrations.image": "registry.example/shop:1.4.2"}),
    spec("a registry with a port", {"migrations.image": "10.78.1.1:5000/shop:dev"}),
    spec("a tag and a digest", {"migrations.image": "registry.example/shop:1.4.2" + DIGEST}),
    spec("an image of a short name", {"migrations.image": "shop:dev"}),
    spec("the migrations in a ConfigMap", MIGRATIONS_IN_CONFIG_MAP),
    spec(
        "a version table beside a ConfigMap", {**MIGRATIONS_IN_CONFIG_MAP, "migrations.versionTable.name": "versions"}
    ),
    spec("empty pullSecrets beside a ConfigMap", {**MIGRATIONS_IN_CONFIG_MAP, "migrations.pullSecrets": []}),
    spec("another folder", {"migrations.path": "/srv/shop/db"}),
    spec("an interpreter in a virtual environment", {"migrations.python": "/app/.venv/bin/python3.12"}),
    spec("an interpreter by name", {"migrations.python": "python3.13"}),
    spec("a configuration file in a folder", {"migrations.configFile": "db/alembic.ini"}),
    spec("the managed environment, said aloud", {"migrations.environment": "Managed"}),
    spec("the project's own environment", {"migrations.environment": "Project"}),
    spec("a section, and arguments for env.py", {"migrations.section": "shop", "migrations.x": ["tenant=a", "dry"]}),
    spec(
        "variables from the connection",
        {
            "migrations.connectionEnv": [
                {"name": "DATABASE_URL", "part": "uri", "scheme": "postgresql+asyncpg"},
                {"name": "PGPASSWORD", "part": "password"},
            ]
        },
    ),
    spec("another version table", {"migrations.versionTable": {"name": "shop_version", "schema": "shop"}}),
    spec("pull secrets", {"migrations.pullSecrets": [{"name": "registry"}, {"name": "mirror"}]}),
    spec("head", {"revision": "head"}),
    spec("heads", {"revision": "heads"}),
    spec("two revisions", {"revision": ABSENT, "revisions": ["a2", "b2"]}),
    spec("one revision in the list", {"revision": ABSENT, "revisions": ["a2"]}),
    spec("a short revision", {"revision": "0001"}),
    spec("a revision with underscores", {"revision": "2026_11_23_add_region"}),
    spec("a revision of 255 characters", {"revision": "f" * 255}),
    spec("a revision in words", {"revision": "20260820_add_poller_feed_stall_threshold"}),
    spec("a revision with a full stop", {"revision": "2.4.1"}),
    spec("a revision with other signs", {"revision": "v1/add users again (#12)"}),
    spec("a revision in another script", {"revision": "größe_日本"}),
    spec("a revision that looks like a number", {"revision": "12e7"}),
    spec("a baseline at a revision in words", {"baseline": {"revisions": ["20260820_add_poller.feed"]}}),
    spec("a baseline at base", {"baseline": {"revisions": []}}),
    spec("a baseline at a revision", {"baseline": {"revisions": ["9c1f22aa01bd"]}}),
    spec(
        "a baseline of two heads with a fingerprint", {"baseline": {"revisions": ["a", "b"], "fingerprint": DIGEST[1:]}}
    ),
    spec("a baseline at base, its fingerprint empty", {"baseline": {"revisions": [], "fingerprint": ""}}),
    spec("credentials for the runs that read", {"database.reviewSecretRef": {"name": "shop-db-review"}}),
    spec("another key of theirs", {"database.reviewSecretRef": {"name": "shop-db-review", "key": "dsn"}}),
    spec("an empty review", {"review": {}}),
    spec("a review of every plan", {"review.mode": "Required"}),
    spec("no review", {"review": {"mode": "Auto", "evidence": "Static", "network": "Open"}}),
    spec("warnings that wait", {"review.failOn": "warning"}),
    spec("an approved digest", {"review.approvedDigest": DIGEST[1:]}),
    spec("no approved digest, said aloud", {"review.approvedDigest": ""}),
    spec("severities of rules", {"review.rules": {"fk-index": "off", "snake-case": "error", "destructive": "warning"}}),
    spec("an error of what is one in any case", {"review.rules": {"transaction-escape": "error"}}),
    spec(
        "a shadow image by digest", {"review.shadow": {"image": "registry.example/postgis" + DIGEST, "runAsUser": 70}}
    ),
    spec("a shadow image by tag", {"review.shadow.image": "registry.example/postgis:17"}),
    spec("downgrades", {"allowDowngrade": True}),
    spec("long timeouts", {"timeouts": {"lock": "2m", "statement": "24h", "idleInTransaction": "1h", "run": "168h"}}),
    spec("no statement timeout, said aloud", {"timeouts.statement": "0s", "timeouts.idleInTransaction": "0s"}),
    spec("a duration of two parts", {"timeouts.run": "1h30m"}),
    spec("milliseconds", {"timeouts.lock": "500ms"}),
    spec("no retries", {"retry.limit": 0}),
    spec("the longest pause", {"retry": {"limit": 100, "backoff": "10m"}}),
    spec("suspended", {"suspend": True}),
    spec("one Job kept", {"historyLimit": 1}),
    spec("a service account", {"job.serviceAccountName": "shop-migrations"}),
    spec(
        "resources",
        {"job.resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": 268435456}}},
    ),
    spec("cores as a number", {"job.resources": {"limits": {"cpu": 2}}}),
    spec("a node selector", {"job.nodeSelector": {"kubernetes.io/arch": "amd64"}}),
    spec("a toleration of every taint", {"job.tolerations": [{"operator": "Exists"}]}),
    spec(
        "a toleration for a while",
        {"job.tolerations": [{"key": "spot", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 300}]},
    ),
    spec("a priority class", {"job.priorityClassName": "high"}),
    spec(
        "labels and annotations",
        {"job.podLabels": {"team": "shop"}, "job.podAnnotations": {"example.com/cost": "42 €"}},
    ),
    spec("another name label", {"job.podLabels": {"app.kubernetes.io/name": "shop"}}),
    spec("an empty variable", {"job.env": [{"name": "FEATURE", "value": ""}]}),
    spec("a name that holds PG but does not begin with it", {"job.env": [{"name": "MY_PGHOST", "value": "x"}]}),
    spec(
        "variables from a Secret and a ConfigMap",
        {
            "job.env": [
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "token", "optional": True}}},
                {"name": "REGION", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "region"}}},
            ]
        },
    ),
    spec(
        "a certificate authority from a Secret",
        {
            "job.volumes": [
                {"name": "ca", "secret": {"secretName": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
            ],
            "job.volumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/shop", "readOnly": True}],
        },
    ),
    spec(
        "a ConfigMap, a folder in memory and a CSI volume",
        {
            "job.volumes": [
                {"name": "settings", "configMap": {"name": "settings", "defaultMode": 292}},
                {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
                {"name": "vault", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": True}},
            ],
            "job.volumeMounts": [
                {"name": "scratch", "mountPath": "/scratch"},
                {"name": "scratch", "mountPath": "/var/x"},
            ],
        },
    ),
    spec(
        "a folder below /tmp",
        {"job.volumes": [{"name": "t", "emptyDir": {}}], "job.volumeMounts": [{"name": "t", "mountPath": "/tmp/x"}]},
    ),
    spec("a sidecar", {"job.sidecars": [SIDECAR]}),
    spec(
        "a database proxy with a probe",
        {
            "job.sidecars": [
                {
                    **SIDECAR,
                    "args": ["--port=5432", "shop"],
                    "env": [{"name": "PGUSER_OF_THE_PROXY", "value": "x"}],
                    "resources": {"requests": {"memory": "32Mi"}},
                    "startupProbe": {"httpGet": {"path": "/startup", "port": 9090}, "periodSeconds": 1},
                }
            ]
        },
    ),
    spec("a probe by command", {"job.sidecars": [{**SIDECAR, "startupProbe": {"exec": {"command": ["/ready"]}}}]}),
    spec("another user", {"job.runAsUser": 1000}),
)
