"""The real API server takes what is legal, refuses what is not, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import CommandFailed
from tests.unit.api.illegal import ILLEGAL, UNKNOWN
from tests.unit.api.legal import LEGAL
from tests.unit.api.manifests import ABSENT, DIGEST, PLAIN, Illegal, Legal, changed
from tests.unit.api.plans import ILLEGAL_PLANS, LEGAL_PLANS, PlanCase

from .conftest import Ask

ROOT = Path(__file__).parents[3]
UNCHANGEABLE = (
    "baseline cannot be changed or removed once it is set. To set another, delete the DatabaseSchema, which "
    "leaves the database as it is, and create it anew"
)


@pytest.mark.parametrize("case", LEGAL, ids=lambda case: case.name)
def test_manifest_is_taken_when_it_is_legal(ask: Ask, case: Legal) -> None:
    assert not ask(case.manifest)


@pytest.mark.parametrize("case", [*ILLEGAL, *UNKNOWN], ids=lambda case: case.name)
def test_manifest_is_refused_with_a_reason_when_it_is_illegal(ask: Ask, case: Illegal) -> None:
    assert case.message in ask(case.manifest)


@pytest.mark.parametrize("case", LEGAL_PLANS, ids=lambda case: case.name)
def test_plan_is_taken_when_it_is_legal(ask: Ask, case: PlanCase) -> None:
    assert not ask(changed(case.manifest, {"metadata.namespace": ABSENT}))


@pytest.mark.parametrize("case", ILLEGAL_PLANS, ids=lambda case: case.name)
def test_plan_is_refused_with_a_reason_when_it_is_illegal(ask: Ask, case: PlanCase) -> None:
    assert case.message in ask(changed(case.manifest, {"metadata.namespace": ABSENT}))


def test_tables_are_as_long_as_promised() -> None:
    assert min(len(LEGAL), len(ILLEGAL)) >= 40


@pytest.fixture(params=["databaseschemas", "schemaplans"])
def copy(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A CRD under another group, so that nobody's installation is touched."""
    file = ROOT / "crds" / f"alembic-operator.dev_{request.param}.yaml"
    copied = tmp_path / f"{request.param}.yaml"
    copied.write_text(file.read_text(encoding="utf-8").replace("alembic-operator.dev", "copy.alembic-operator.example"))
    yield copied
    cluster.kubectl("delete", "--ignore-not-found", "-f", copied)


@pytest.mark.parametrize("first", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_crd_is_applied_either_way_and_then_the_other(cluster: Cluster, copy: Path, first: list[str]) -> None:
    words = ("apply", "-f", copy)
    second = [] if first else ["--server-side", "--force-conflicts"]

    assert f"{copy.stem}.copy.alembic-operator.example" in cluster.kubectl(*words, *first)
    assert f"{copy.stem}.copy.alembic-operator.example" in cluster.kubectl(*words, *second)
    cluster.kubectl("wait", "--for=condition=Established", "-f", copy, "--timeout=20s")


@pytest.fixture
def applied(cluster: Cluster, crd: None, namespaces: tuple[str, str]) -> dict[str, object]:
    """A DatabaseSchema in the development namespace, as the API server gives it back."""
    manifest = changed(PLAIN, {"metadata.name": "applied", "metadata.namespace": namespaces[0], "spec.suspend": True})
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    shown: dict[str, object] = yaml.safe_load(
        cluster.kubectl("-n", namespaces[0], "get", "dbs", "applied", "-o", "yaml")
    )
    return shown


def test_fresh_object_is_in_progress_when_nothing_has_looked_at_it(
    cluster: Cluster, crd: None, namespaces: tuple[str, str]
) -> None:
    manifest = changed(PLAIN, {"metadata.name": "fresh", "metadata.namespace": namespaces[0]})
    # A dry run: an operator of the cluster would be faster than a second look at the object.
    answer = cluster.kubectl("create", "--dry-run=server", "-o", "yaml", "-f", "-", stdin=yaml.safe_dump(manifest))

    assert yaml.safe_load(answer)["status"] == {"observedGeneration": -1}


def test_defaults_are_filled_in_by_the_api_server(applied: dict[str, object]) -> None:
    spec = applied["spec"]

    assert isinstance(spec, dict)
    assert spec["review"] == {
        **{"mode": "OnFindings", "approvedDigest": "", "failOn": "error", "rules": {}, "evidence": "Shadow"},
        "network": "Closed",
        "shadow": {"image": "", "runAsUser": 999},
    }
    assert spec["allowDowngrade"] is False
    assert spec["database"] == {
        "secretRef": {"name": "shop-db-app", "key": "uri"},
        "role": "",
    }
    assert spec["timeouts"] == {"lock": "3s", "statement": "0s", "idleInTransaction": "10m", "run": "1h"}
    assert "versionTable" not in spec["migrations"]


def test_columns_show_the_target_and_the_image(
    cluster: Cluster, applied: dict[str, object], namespaces: tuple[str, str]
) -> None:
    status = '{"status": {"targetRevision": "8b7d0e44aa10"}}'
    cluster.kubectl(
        "-n", namespaces[0], "patch", "dbs", "applied", "--subresource=status", "--type=merge", "-p", status
    )

    heads, row = cluster.kubectl("-n", namespaces[0], "get", "alembic", "-o", "wide").splitlines()[:2]

    assert heads.split() == [
        *("NAME", "CURRENT", "TARGET", "PENDING", "READY", "REASON", "AGE", "ENGINE", "PLAN", "IMAGE", "MESSAGE")
    ]
    assert {"databaseschema.alembic-operator.dev/applied", "8b7d0e44aa10"} < set(row.split())


def test_object_is_applied_from_the_server_when_the_client_made_it(
    cluster: Cluster, applied: dict[str, object], namespaces: tuple[str, str]
) -> None:
    manifest = changed(PLAIN, {"metadata.name": "applied", "metadata.namespace": namespaces[0], "spec.historyLimit": 9})

    said = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump(manifest))

    assert "serverside-applied" in said


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (None, UNCHANGEABLE),
        ({"revisions": None}, "spec.baseline.revisions: Required value"),
        ({"revisions": ["9c1f22aa01bd"]}, UNCHANGEABLE),
        ({"revisions": ["9c1f22aa01bd"], "fingerprint": DIGEST[1:]}, UNCHANGEABLE),
    ],
    ids=["removed", "emptied", "moved", "moved with a fingerprint"],
)
def test_baseline_stays_when_it_was_set(
    cluster: Cluster, crd: None, namespaces: tuple[str, str], after: dict[str, object] | None, message: str
) -> None:
    before = changed(
        PLAIN,
        {"metadata.name": "baseline", "metadata.namespace": namespaces[0], "spec.baseline": {"revisions": []}},
    )
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(before))

    with pytest.raises(CommandFailed) as failed:
        cluster.kubectl(
            *("-n", namespaces[0], "patch", "dbs", "baseline", "--type=merge"),
            *("-p", yaml.safe_dump({"spec": {"baseline": after}})),
        )

    assert message in failed.value.said


def test_words_are_explained_when_a_person_asks(cluster: Cluster, crd: None) -> None:
    assert "a full revision id" in cluster.kubectl("explain", "dbs.spec.revision")
    assert "kubectl auth whoami" in cluster.kubectl("explain", "splan.spec.decision.by")
