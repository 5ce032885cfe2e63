"""The manifests: every stage gives a spec that the operator accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.component.shop.shop_runs import SHOP, revisions

from alembic_operator.api.spec import parse_spec

DEPLOY = SHOP / "deploy"
STAGES = ("dev", "staging", "prod")


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


def merge(base: Any, patch: Any) -> Any:
    """A strategic merge as far as these patches go: mappings only."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return {key: merge(base.get(key), patch.get(key)) if key in patch else base[key] for key in {**base, **patch}}
    return patch


def built(stage: str) -> dict[str, Any]:
    """The spec of a stage, as kustomize builds it."""
    overlay = load(DEPLOY / "overlays" / stage / "kustomization.yaml")
    base, patch = load(DEPLOY / "base/databaseschema.yaml"), load(DEPLOY / f"overlays/{stage}/databaseschema.yaml")
    spec: dict[str, Any] = merge(base, patch)["spec"]
    (image,) = overlay["images"]
    assert spec["migrations"]["image"].split(":")[0] == image["name"]
    tail = f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
    spec["migrations"]["image"] = image["newName"] + tail
    return spec


@pytest.mark.parametrize("stage", STAGES)
def test_operator_accepts_the_spec_when_built_for_a_stage(stage: str) -> None:
    spec = parse_spec(built(stage))
    assert spec.database.secret_ref.name == "shop-db-app"
    development = stage == "dev"
    assert (spec.revision == "head") is development
    assert spec.migrations.pinned is not development
    if not development:
        assert spec.revision == revisions()[-1]


@pytest.mark.parametrize("stage", STAGES)
def test_namespace_restricts_its_pods_when_built_for_a_stage(stage: str) -> None:
    namespace = load(DEPLOY / "overlays" / stage / "namespace.yaml")
    overlay = load(DEPLOY / "overlays" / stage / "kustomization.yaml")
    labels = namespace["metadata"]["labels"]
    assert namespace["metadata"]["name"] == overlay["namespace"] == f"shop-{stage}"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels.get("alembic-operator.dev/environment") == ("development" if stage == "dev" else None)


def test_secret_has_the_keys_of_the_spec_when_made_by_hand() -> None:
    secret = load(DEPLOY / "secret.example.yaml")
    spec = parse_spec(built("dev"))
    assert secret["metadata"]["name"] == spec.database.secret_ref.name
    assert spec.database.secret_ref.key in secret["stringData"]
