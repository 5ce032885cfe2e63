"""The Job of one run: built whole here, never changed afterwards.

It does not retry by itself, sees no service-account token, and carries own labels only: a label copied from the
resource (Argo CD's instance label) would have it pruned.
"""

from __future__ import annotations

from typing import Any

from alembic_operator.api import names as api
from alembic_operator.api.spec import Spec
from alembic_operator.contract import job_env
from alembic_operator.contract.bootstrap import HASH_SEED, bootstrap
from alembic_operator.contract.request import RunRequest
from alembic_operator.core.job.names import runner_config_map
from alembic_operator.core.job.review import has_shadow, review_mounts, review_volumes, shadow_container
from alembic_operator.core.model.decision import StartRun
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema, Tokens, controller

START_ALLOWANCE = 600  # seconds for pulling and starting, on top of timeouts.run, which the runner keeps itself
KEEP_FINISHED = 7 * 24 * 3600  # seconds; set at creation, so that no later write is needed
GRACE = 60  # seconds to cancel the statement and roll back

_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def build_job(schema: DatabaseSchema, spec: Spec, run: StartRun, installation: Installation) -> dict[str, Any]:
    """The manifest of the Job of a run."""
    request = run.request
    labels = {
        api.LABEL_APP: "alembic-migration",
        api.LABEL_COMPONENT: "migration",
        api.LABEL_MANAGED_BY: api.MANAGED_BY,
        api.LABEL_UID: schema.uid,
        api.LABEL_KIND: request.kind.value,
    }
    if len(schema.name) <= 63:
        labels[api.LABEL_SCHEMA] = schema.name
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": request.job,
            "namespace": schema.namespace,
            "labels": labels,
            "annotations": {
                api.ANNOTATION_ATTEMPT: str(run.attempt),
                api.ANNOTATION_GENERATION: str(schema.generation),
                api.ANNOTATION_TRIGGER: run.trigger,
                **_answers(schema.tokens),
            },
            "ownerReferences": [controller(schema)],
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": int(spec.timeouts.run) + START_ALLOWANCE,
            "ttlSecondsAfterFinished": KEEP_FINISHED,
            "podFailurePolicy": {
                "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": {
                "metadata": {
                    "labels": {**spec.job.pod_labels, **labels},
                    "annotations": {
                        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                        **spec.job.pod_annotations,
                    },
                },
                "spec": _pod(spec, run, installation),
            },
        },
    }


def _answers(tokens: Tokens) -> dict[str, str]:
    """What of the resource's annotations this run answers: so that the status can be derived from the Job."""
    asked = {api.ANNOTATION_RECONCILE_AT: tokens.reconcile_at, api.ANNOTATION_RETRY_AT: tokens.retry_at}
    return {key: value for key, value in asked.items() if value}


def _pod(spec: Spec, run: StartRun, installation: Installation) -> dict[str, Any]:
    job, request = spec.job, run.request
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": job.run_as_user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_migration(spec, request, installation)],
        "volumes": _volumes(spec, run, installation),
    }
    # Restartable init containers: they are up before the migration starts and end with it.
    sidecars = [{**sidecar, "restartPolicy": "Always", "securityContext": _SECURITY} for sidecar in job.sidecars]
    if has_shadow(request):
        # First, so that it makes its database while the others start. The group: runner and shadow are two users.
        sidecars.insert(0, shadow_container(spec, request, _SECURITY))
        pod["securityContext"]["fsGroup"] = job.run_as_user
    optional = {
        "serviceAccountName": job.service_account_name,
        "nodeSelector": dict(job.node_selector),
        "tolerations": list(job.tolerations),
        "priorityClassName": job.priority_class_name,
        "initContainers": sidecars,
        "imagePullSecrets": [{"name": name} for name in spec.migrations.pull_secrets],
    }
    pod.update({key: value for key, value in optional.items() if value})
    return pod


def _migration(spec: Spec, request: RunRequest, installation: Installation) -> dict[str, Any]:
    migrations = spec.migrations
    mounts = [
        {"name": "alembic-operator-runner", "mountPath": job_env.RUNNER_DIRECTORY, "readOnly": True},
        {"name": "alembic-operator-secret", "mountPath": job_env.SECRET_DIRECTORY, "readOnly": True},
        {"name": "alembic-operator-tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
    ]
    if migrations.config_map:
        mounts.append(
            {"name": "alembic-operator-migrations", "mountPath": job_env.MIGRATIONS_DIRECTORY, "readOnly": True}
        )
    return {
        "name": job_env.CONTAINER,
        "image": migrations.image or installation.runner_image,
        "command": [migrations.python, "-c", bootstrap(installation.runner_sha256)],
        # The user's come first: of two variables with one name the last counts.
        "env": [
            *spec.job.env,
            {"name": "PYTHONUNBUFFERED", "value": "1"},
            {"name": HASH_SEED[0], "value": HASH_SEED[1]},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108
            {"name": job_env.REQUEST_VARIABLE, "value": request.to_json()},
            {
                "name": job_env.JOB_UID_VARIABLE,
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}},
            },
        ],
        "resources": dict(spec.job.resources) or {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "securityContext": _SECURITY,
        "terminationMessagePath": job_env.TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "volumeMounts": [*mounts, *review_mounts(request), *(dict(mount) for mount in spec.job.volume_mounts)],
    }


def _volumes(spec: Spec, run: StartRun, installation: Installation) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {
            "name": "alembic-operator-runner",
            "configMap": {"name": runner_config_map(installation.runner_sha256), "defaultMode": 0o444},
        },
        {
            # Optional, so that the runner reports a missing Secret by name; a pod would hang without a word.
            "name": "alembic-operator-secret",
            "secret": {"secretName": run.request.secret_name, "optional": True},
        },
        {"name": "alembic-operator-tmp", "emptyDir": {}},
    ]
    if spec.migrations.config_map:
        volumes.append(
            {"name": "alembic-operator-migrations", "configMap": {"name": spec.migrations.config_map, "optional": True}}
        )
    return [*volumes, *review_volumes(run.request, run.plan), *(dict(volume) for volume in spec.job.volumes)]
