"""The example application, from an empty database to its newest revision."""

from __future__ import annotations

import pytest

from .installation import ROOT
from .place import Place

REVISIONS = sorted(path.stem for path in (ROOT / "examples/shop/migrations/versions").glob("0*.py"))
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


@pytest.fixture
def shop(place: Place, built: dict[str, str]) -> Place:
    """A place whose resources run the shop's image."""
    place.image = built["shop"]
    return place


def apply(shop: Place, revision: str) -> None:
    shop.apply("", revision, migrations={"path": "/app"})


def use_application(shop: Place) -> str:
    """Seed the shop and test it, in a pod of its own image; what it printed."""
    container = {
        "name": "shop",
        "image": shop.image,
        "command": ["sh", "-c", "python3 -m shop.seed && python3 -m shop.smoke"],
        "env": [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "uri"}}}],
        "securityContext": RESTRICTED,
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    shop.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "application"}, "spec": spec})
    shop.kubectl("wait", "pod/application", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
    return shop.kubectl("logs", "application")


def test_application_works_when_every_revision_is_applied_at_once(shop: Place) -> None:
    apply(shop, REVISIONS[-1])

    shop.wait("UpToDate", timeout=120)

    assert len(REVISIONS) == 14
    assert shop.message() == (
        f"Job shop/1 applied 14 revisions in SECONDS: {', '.join(REVISIONS)}. The database is at revision "
        f"{REVISIONS[-1]}."
    )
    assert "smoke: ok, 15 checks" in use_application(shop)


def test_application_works_when_the_revisions_are_applied_release_by_release(shop: Place) -> None:
    releases = [REVISIONS[first : first + 3] for first in range(0, len(REVISIONS), 3)]
    apply(shop, releases[0][-1])
    shop.wait("UpToDate")

    for number, revisions in enumerate(releases[1:], start=2):
        shop.patch(revision=revisions[-1])
        shop.wait("UpToDate")
        assert shop.message() == (
            f"Job shop/{number} applied {len(revisions)} revisions in SECONDS: {', '.join(revisions)}. The database is "
            f"at revision {revisions[-1]}."
        )

    assert "smoke: ok, 15 checks" in use_application(shop)
    assert len(shop.status()["history"]) == len(shop.jobs()) == len(releases) == 5
