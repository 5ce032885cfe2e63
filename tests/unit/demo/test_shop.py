"""The releases that the demo writes into a copy of the shop's overlays."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from demo import install, places, shop

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "DEPLOY", tmp_path / "deploy")
    install.copy_deploy(places.DEPLOY)
    return tmp_path / "deploy"


def test_the_overlay_names_the_tag_when_the_image_has_one(deploy: Path) -> None:
    shop.write_overlay("dev", "10.0.0.1:5000/shop:v1-abc")
    written = yaml.safe_load((deploy / "overlays/dev/kustomization.yaml").read_text())
    assert written["images"] == [{"name": "shop", "newName": "10.0.0.1:5000/shop", "newTag": "v1-abc"}]
    assert written["namespace"] == "shop-dev"


def test_the_overlay_names_digest_and_revision_when_it_is_promoted(deploy: Path) -> None:
    shop.write_overlay("prod", f"10.0.0.1:5000/shop@{DIGEST}", "0015_user_locale")
    written = yaml.safe_load((deploy / "overlays/prod/kustomization.yaml").read_text())
    assert written["images"] == [{"name": "shop", "newName": "10.0.0.1:5000/shop", "digest": DIGEST}]
    patch = yaml.safe_load((deploy / "overlays/prod/databaseschema.yaml").read_text())
    assert patch["spec"]["revision"] == "0015_user_locale"
    assert patch["spec"]["timeouts"]["lock"] == "2s"


def test_the_repository_stays_as_it_is_when_a_release_is_written(deploy: Path) -> None:
    before = (places.SHOP / "deploy/overlays/dev/kustomization.yaml").read_bytes()
    shop.write_overlay("dev", "10.0.0.1:5000/shop:v1-abc")
    assert (places.SHOP / "deploy/overlays/dev/kustomization.yaml").read_bytes() == before


def test_the_broken_and_the_repaired_release_differ_in_the_default_alone() -> None:
    broken, repaired = ((places.RELEASE / name / "user_locale.py").read_text() for name in ("broken", "repaired"))
    code = [text.partition('"""\n')[2] for text in (broken, repaired)]
    assert code[0].replace("nullable=False", 'nullable=False, server_default="en"') == code[1]
