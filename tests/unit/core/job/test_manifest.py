"""The Job, whole: for a small spec, and for one that sets everything."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.contract.bootstrap import bootstrap
from alembic_operator.contract.request import Owner, RunKind, RunRequest
from alembic_operator.core.job.manifest import build_job
from alembic_operator.core.model.decision import StartRun
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema, Tokens, parse_job, parse_schema

UID = "6f1c1f9e-0000-4000-8000-000000000001"
SHA = "0123456789ab" + "0" * 52
IMAGE = "registry.example/shop@sha256:" + "0" * 64
INSTALLATION = Installation("cluster-1", SHA, "registry.example/runner:1")
SMALL: dict[str, Any] = {
    "database": {"secretRef": {"name": "shop-db"}},
    "migrations": {"image": IMAGE},
    "revision": "b2",
}
FULL: dict[str, Any] = {
    "database": {"secretRef": {"name": "shop-db", "key": "dsn"}, "searchPath": ["shop", "public"], "role": "owner"},
    "migrations": {
        "image": IMAGE,
        "path": "/srv/app",
        "python": "/srv/app/.venv/bin/python",
        "configFile": "db/alembic.ini",
        "versionTable": {"name": "versions", "schema": "meta"},
        "pullSecrets": [{"name": "registry"}],
    },
    "revision": "b2",
    "timeouts": {"run": "30m"},
    "job": {
        "serviceAccountName": "shop",
        "resources": {"limits": {"memory": "1Gi"}},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "db", "operator": "Exists"}],
        "priorityClassName": "high",
        "podLabels": {"team": "shop", "app.kubernetes.io/name": "mine"},
        "podAnnotations": {"sidecar.istio.io/inject": "false"},
        "env": [{"name": "HOME", "value": "/home/shop"}, {"name": "STAGE", "value": "prod"}],
        "volumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "volumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
        "sidecars": [{"name": "proxy", "image": IMAGE, "args": ["--port=1"], "securityContext": {"privileged": True}}],
        "runAsUser": 1000,
    },
}
CLOSED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
LABELS = {
    "app.kubernetes.io/name": "alembic-migration",
    "app.kubernetes.io/component": "migration",
    "app.kubernetes.io/managed-by": "alembic-operator",
    "alembic-operator.dev/schema-uid": UID,
    "alembic-operator.dev/run-kind": "Apply",
    "alembic-operator.dev/schema": "shop",
}


def schema_of(spec: dict[str, Any], name: str = "shop", **annotations: str) -> DatabaseSchema:
    meta = {"namespace": "shop", "name": name, "uid": UID, "resourceVersion": "1", "generation": 3}
    asked = {f"alembic-operator.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return parse_schema({"metadata": {**meta, "annotations": asked}, "spec": spec})


def build(spec: dict[str, Any], name: str = "shop", **annotations: str) -> dict[str, Any]:
    schema = schema_of(spec, name, **annotations)
    assert schema.spec is not None
    target = Owner("cluster-1", "shop", name, UID)
    request = RunRequest(RunKind.APPLY, target, 3, "shop-1a2b3c4d-2", "b2", "shop-db")
    return build_job(schema, schema.spec, StartRun(2, "3", request), INSTALLATION)


def migration(request: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "migration",
        "image": IMAGE,
        "command": ["python3", "-c", bootstrap(SHA)],
        "env": [
            {"name": "PYTHONUNBUFFERED", "value": "1"},
            {"name": "PYTHONHASHSEED", "value": "0"},
            {"name": "HOME", "value": "/tmp"},
            {"name": "ALEMBIC_OPERATOR_RUN", "value": request},
            {
                "name": "ALEMBIC_OPERATOR_JOB_UID",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}},
            },
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "securityContext": CLOSED,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "alembic-operator-runner", "mountPath": "/alembic-operator", "readOnly": True},
            {"name": "alembic-operator-secret", "mountPath": "/alembic-operator-secret", "readOnly": True},
            {"name": "alembic-operator-tmp", "mountPath": "/tmp"},
        ],
        **changes,
    }


VOLUMES = [
    {
        "name": "alembic-operator-runner",
        "configMap": {"name": "alembic-operator-runner-0123456789ab", "defaultMode": 0o444},
    },
    {"name": "alembic-operator-secret", "secret": {"secretName": "shop-db", "optional": True}},
    {"name": "alembic-operator-tmp", "emptyDir": {}},
]


def request_in(job: dict[str, Any]) -> str:
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    text: str = next(item["value"] for item in env if item["name"] == "ALEMBIC_OPERATOR_RUN")
    return text


def test_job_is_this_when_the_spec_is_small() -> None:
    job = build(SMALL)
    assert job == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "shop-1a2b3c4d-2",
            "namespace": "shop",
            "labels": LABELS,
            "annotations": {
                "alembic-operator.dev/attempt": "2",
                "alembic-operator.dev/generation": "3",
                "alembic-operator.dev/trigger": "3",
            },
            "ownerReferences": [
                {
                    "apiVersion": "alembic-operator.dev/v1alpha1",
                    "kind": "DatabaseSchema",
                    "name": "shop",
                    "uid": UID,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": 4200,
            "ttlSecondsAfterFinished": 604800,
            "podFailurePolicy": {
                "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": {
                "metadata": {
                    "labels": LABELS,
                    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                },
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 60,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [migration(request_in(job))],
                    "volumes": VOLUMES,
                },
            },
        },
    }


def test_job_is_this_when_the_spec_is_full() -> None:
    job = build(FULL)
    small = build(SMALL)
    plain = migration(request_in(job))
    assert job["spec"]["activeDeadlineSeconds"] == 2400
    assert job["metadata"] == small["metadata"]
    template = job["spec"]["template"]
    assert template["metadata"] == {
        "labels": {"team": "shop", **LABELS},
        "annotations": {
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            "sidecar.istio.io/inject": "false",
        },
    }
    assert template["spec"] == {
        **small["spec"]["template"]["spec"],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccountName": "shop",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "db", "operator": "Exists"}],
        "priorityClassName": "high",
        "imagePullSecrets": [{"name": "registry"}],
        "initContainers": [
            {
                "name": "proxy",
                "image": IMAGE,
                "args": ["--port=1"],
                "restartPolicy": "Always",
                "securityContext": CLOSED,
            }
        ],
        "containers": [
            migration(
                request_in(job),
                command=["/srv/app/.venv/bin/python", "-c", bootstrap(SHA)],
                env=[{"name": "HOME", "value": "/home/shop"}, {"name": "STAGE", "value": "prod"}, *plain["env"]],
                resources={"limits": {"memory": "1Gi"}},
                volumeMounts=[*plain["volumeMounts"], {"name": "ca", "mountPath": "/etc/ca"}],
            )
        ],
        "volumes": [*VOLUMES, {"name": "ca", "configMap": {"name": "ca"}}],
    }


def test_job_runs_the_runners_image_when_the_migrations_are_in_a_config_map() -> None:
    job = build({**SMALL, "migrations": {"configMap": {"name": "shop-migrations"}}})
    pod = job["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "registry.example/runner:1"
    assert pod["containers"][0]["volumeMounts"][-1] == {
        "name": "alembic-operator-migrations",
        "mountPath": "/alembic-operator-migrations",
        "readOnly": True,
    }
    assert pod["volumes"][-1] == {
        "name": "alembic-operator-migrations",
        "configMap": {"name": "shop-migrations", "optional": True},
    }


@pytest.mark.parametrize("spec", [SMALL, FULL], ids=["small", "full"])
def test_restricted_pod_security_is_kept_when_a_pod_is_made(spec: dict[str, Any]) -> None:
    pod = build(spec)["spec"]["template"]["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.keys()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret"}
    for volume in pod["volumes"]:
        assert len(volume.keys() & allowed) == len(volume) - 1
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["securityContext"] == CLOSED
        assert not {"hostPort"} & {key for port in container.get("ports", ()) for key in port}


def test_job_repeats_the_annotations_that_it_answers_when_there_are_some() -> None:
    job = build(SMALL, reconcile_at="1", retry_at="t" * 400)
    annotations = job["metadata"]["annotations"]
    assert annotations["alembic-operator.dev/reconcile-at"] == "1"
    assert annotations["alembic-operator.dev/retry-at"] == "t" * 253


def test_job_is_read_as_it_was_built_when_the_cluster_gives_it_back() -> None:
    body = build(FULL, retry_at="1")
    body["metadata"] |= {"uid": "u", "creationTimestamp": "2026-11-23T12:00:00Z"}
    job = parse_job(body)
    assert job is not None
    assert (job.kind, job.attempt, job.generation, job.trigger) == (RunKind.APPLY, 2, 3, "3")
    assert (job.tokens, job.image) == (Tokens("", "1"), IMAGE)
    assert (job.request, job.finished) == (request_in(body), "")


def test_name_of_the_resource_is_no_label_when_it_is_too_long_for_one() -> None:
    assert "alembic-operator.dev/schema" not in build(SMALL, name="s" * 64)["metadata"]["labels"]
    assert build(SMALL, name="s" * 63)["metadata"]["labels"]["alembic-operator.dev/schema"] == "s" * 63
