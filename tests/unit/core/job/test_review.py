"""What a review adds to the Job's pod: the shadow of a plan run, the guard of an approved plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alembic_operator.api.plan import SchemaPlan
from alembic_operator.api.plan_spec import PlanSpec, SqlPart
from alembic_operator.api.spec import parse_spec
from alembic_operator.contract.request import Approved, Owner, RunKind, RunRequest
from alembic_operator.core.job.manifest import build_job
from alembic_operator.core.job.review import shadow_image
from alembic_operator.core.job.shadow_script import script
from alembic_operator.core.model.decision import StartRun

from .test_manifest import CLOSED, FULL, IMAGE, INSTALLATION, SMALL, UID, schema_of

SHADOW_IMAGE = "registry.example/postgres:16"
IMAGES = {15: "pg:15", 16: "pg:16", 18: "pg:18"}
PLAN = SchemaPlan(
    "shop",
    "shop-1a2b3c4d",
    "uid-of-plan",
    "1",
    "shop",
    UID,
    {},
    PlanSpec(
        digest="sha256:1",
        inputs_digest="sha256:2",
        bundle_digest="sha256:3",
        direction="Upgrade",
        from_revisions=("a1",),
        to_revisions=("b2",),
        image=IMAGE,
        database="sha256:4",
        evidence="Shadow",
        journal_id=4,
        errors=0,
        warnings=0,
        steps=(),
        sql=(SqlPart("shop-1a2b3c4d-0", "0"), SqlPart("shop-1a2b3c4d-1", "1")),
        guard_sha256="ab",
    ),
)


def approved(guard_sha256: str) -> Approved:
    return Approved(
        "shop-1a2b3c4d", "uid-of-plan", "sha256:1", "sha256:2", "Upgrade", ["a1"], ["b2"], 4, guard_sha256, "anna"
    )


def pod(spec: dict[str, Any], kind: RunKind, plan: SchemaPlan | None = None, **asked: Any) -> dict[str, Any]:
    schema = schema_of(spec)
    assert schema.spec is not None
    request = RunRequest(kind, Owner("cluster-1", "shop", "shop", UID), 3, "shop-1a2b3c4d-2", "b2", "shop-db")
    job = build_job(schema, schema.spec, StartRun(2, "3", replace(request, **asked), plan), INSTALLATION)
    found: dict[str, Any] = job["spec"]["template"]["spec"]
    return found


def volume(pod: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((volume for volume in pod["volumes"] if volume["name"] == name), None)


def mounts(container: dict[str, Any]) -> dict[str, str]:
    return {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}


def test_shadow_runs_beside_the_migration_when_the_evidence_of_a_plan_is_shadow() -> None:
    found = pod(SMALL, RunKind.PLAN, evidence="Shadow", shadow_image=SHADOW_IMAGE)
    assert found["initContainers"] == [
        {
            "name": "alembic-operator-shadow",
            "image": SHADOW_IMAGE,
            "restartPolicy": "Always",
            "command": [
                "/bin/sh",
                "-c",
                script(),
                "shadow",
                "/alembic-operator-shadow",
                "/alembic-operator-shadow-data",
            ],
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
            "securityContext": {**CLOSED, "runAsUser": 999},
            "volumeMounts": [
                {"name": "alembic-operator-shadow", "mountPath": "/alembic-operator-shadow"},
                {"name": "alembic-operator-shadow-data", "mountPath": "/alembic-operator-shadow-data"},
            ],
        }
    ]
    assert volume(found, "alembic-operator-shadow") == {
        "name": "alembic-operator-shadow",
        "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"},
    }
    assert volume(found, "alembic-operator-shadow-data") == {
        "name": "alembic-operator-shadow-data",
        "emptyDir": {"sizeLimit": "4Gi"},
    }
    assert mounts(found["containers"][0])["alembic-operator-shadow"] == "/alembic-operator-shadow"
    assert "alembic-operator-shadow-data" not in mounts(found["containers"][0])


def test_runner_and_shadow_share_a_group_when_they_are_two_users() -> None:
    found = pod({**FULL, "review": {"shadow": {"runAsUser": 70}}}, RunKind.PLAN, evidence="Shadow", shadow_image="pg")
    assert (found["securityContext"]["runAsUser"], found["securityContext"]["fsGroup"]) == (1000, 1000)
    assert found["initContainers"][0]["securityContext"] == {**CLOSED, "runAsUser": 70}
    assert found["securityContext"]["runAsNonRoot"] is True


def test_shadow_comes_first_and_gets_mounts_and_limits_when_the_job_is_shaped() -> None:
    found = pod(FULL, RunKind.PLAN, evidence="Shadow", shadow_image=SHADOW_IMAGE)
    shadow, proxy = found["initContainers"]
    assert (shadow["name"], proxy["name"]) == ("alembic-operator-shadow", "proxy")
    assert mounts(shadow)["ca"] == "/etc/ca"
    assert shadow["resources"] == {"limits": {"memory": "1Gi"}}
    assert "env" not in shadow


@pytest.mark.parametrize(
    ("kind", "evidence"),
    [(RunKind.PLAN, "Static"), (RunKind.APPLY, "Shadow"), (RunKind.CHECK, "Shadow"), (RunKind.APPLY, "Static")],
)
def test_pod_has_no_shadow_when_the_run_needs_none(kind: RunKind, evidence: str) -> None:
    found = pod(SMALL, kind, evidence=evidence, shadow_image=SHADOW_IMAGE)
    assert "initContainers" not in found
    assert "fsGroup" not in found["securityContext"]
    assert volume(found, "alembic-operator-shadow") is None
    assert "alembic-operator-shadow" not in mounts(found["containers"][0])


def test_secret_is_the_requests_when_another_one_is_for_reviews() -> None:
    found = pod(SMALL, RunKind.PLAN, secret_name="shop-db-review")
    assert volume(found, "alembic-operator-secret") == {
        "name": "alembic-operator-secret",
        "secret": {"secretName": "shop-db-review", "optional": True},
    }


def test_guard_is_mounted_part_by_part_when_the_plan_has_one() -> None:
    found = pod(SMALL, RunKind.APPLY, PLAN, approved=approved("ab"))
    assert volume(found, "alembic-operator-plan") == {
        "name": "alembic-operator-plan",
        "projected": {
            "defaultMode": 0o444,
            "sources": [
                {
                    "configMap": {
                        "name": f"shop-1a2b3c4d-{part}",
                        "items": [{"key": "guard", "path": f"guard-{part}"}],
                        "optional": True,
                    }
                }
                for part in (0, 1)
            ],
        },
    }
    assert {"name": "alembic-operator-plan", "mountPath": "/alembic-operator-plan", "readOnly": True} in found[
        "containers"
    ][0]["volumeMounts"]


@pytest.mark.parametrize("given", [approved(""), None], ids=["static", "none"])
def test_no_guard_is_mounted_when_the_run_has_none(given: Approved | None) -> None:
    found = pod(SMALL, RunKind.APPLY, PLAN, approved=given)
    assert volume(found, "alembic-operator-plan") is None
    assert "alembic-operator-plan" not in mounts(found["containers"][0])


def test_guard_is_empty_when_the_plan_is_gone() -> None:
    volumes = pod(SMALL, RunKind.APPLY, None, approved=approved("ab"))
    assert volume(volumes, "alembic-operator-plan") == {
        "name": "alembic-operator-plan",
        "projected": {"defaultMode": 0o444, "sources": []},
    }


@pytest.mark.parametrize(
    ("named", "version", "images", "expected"),
    [
        ("", "16.4", IMAGES, "pg:16"),
        ("", "15.13 (Debian 15.13-1.pgdg)", IMAGES, "pg:15"),
        ("", "16beta1", IMAGES, "pg:16"),
        ("", "17.2", IMAGES, "pg:18"),
        ("", "", IMAGES, "pg:18"),
        ("", "", {9: "old", 15: "pg:15"}, "pg:15"),
        ("", "16.4", {}, ""),
        ("postgis:16", "16.4", IMAGES, "postgis:16"),
        ("postgis:16", "", {}, "postgis:16"),
    ],
)
def test_shadow_image_is_of_the_servers_version_when_none_is_named(
    named: str, version: str, images: dict[int, str], expected: str
) -> None:
    spec = parse_spec({**SMALL, "review": {"shadow": {"image": named}}})
    assert shadow_image(spec, version, replace(INSTALLATION, shadow_images=images)) == expected
