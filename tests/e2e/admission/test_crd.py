"""The real API server takes what is legal, refuses what is not, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import CommandFailed
from tests.unit.api.illegal import ILLEGAL, UNKNOWN
from tests.unit.api.legal import LEGAL
from tests.unit.api.manifests import PLAIN, Illegal, Legal, changed

from .conftest import Ask

ROOT = Path(__file__).parents[3]
UNCHANGEABLE = "baseline cannot be changed or removed once it is set: it says where this database's history begins"


@pytest.mark.parametrize("case", LEGAL, ids=lambda case: case.name)
def test_manifest_is_taken_when_it_is_legal(ask: Ask, case: Legal) -> None:
    assert not ask(case.manifest)


@pytest.mark.parametrize("case", [*ILLEGAL, *UNKNOWN], ids=lambda case: case.name)
def test_manifest_is_refused_with_a_reason_when_it_is_illegal(ask: Ask, case: Illegal) -> None:
    assert case.message in ask(case.manifest)


def test_tables_are_as_long_as_promised() -> None:
    assert min(len(LEGAL), len(ILLEGAL)) >= 40


def test_crd_is_applied_from_the_client_and_from_the_server_by_turns(cluster: Cluster, crd: None) -> None:
    client_side = cluster.kubectl("apply", "-f", ROOT / "crds")
    server_side = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", ROOT / "crds")

    assert "databaseschemas.alembic-operator.dev" in client_side
    assert "serverside-applied" in server_side


@pytest.fixture
def applied(cluster: Cluster, crd: None, namespaces: tuple[str, str]) -> dict[str, object]:
    """A DatabaseSchema in the development namespace, as the API server gives it back."""
    manifest = changed(PLAIN, {"metadata.name": "applied", "metadata.namespace": namespaces[0]})
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    shown: dict[str, object] = yaml.safe_load(
        cluster.kubectl("-n", namespaces[0], "get", "dbs", "applied", "-o", "yaml")
    )
    return shown


def test_fresh_object_is_in_progress_when_nothing_has_looked_at_it(applied: dict[str, object]) -> None:
    assert applied["status"] == {"observedGeneration": -1}


def test_defaults_are_filled_in_by_the_api_server(applied: dict[str, object]) -> None:
    spec = applied["spec"]

    assert isinstance(spec, dict)
    assert spec["database"] == {
        "secretRef": {"name": "shop-db-app", "key": "uri"},
        "searchPath": ["public"],
        "role": "",
    }
    assert spec["timeouts"] == {"lock": "3s", "statement": "0s", "idleInTransaction": "10m", "run": "1h"}
    assert spec["migrations"]["versionTable"] == {"name": "alembic_version", "schema": ""}


def test_columns_show_the_target_and_the_image(
    cluster: Cluster, applied: dict[str, object], namespaces: tuple[str, str]
) -> None:
    heads, row = cluster.kubectl("-n", namespaces[0], "get", "alembic", "-o", "wide").splitlines()[:2]

    assert heads.split() == [
        *("NAME", "CURRENT", "TARGET", "PENDING", "READY", "REASON", "AGE", "ENGINE", "IMAGE", "MESSAGE")
    ]
    assert {"applied", "8b7d0e44aa10"} < set(row.split())


def test_object_is_applied_from_the_server_when_the_client_made_it(
    cluster: Cluster, applied: dict[str, object], namespaces: tuple[str, str]
) -> None:
    manifest = changed(PLAIN, {"metadata.name": "applied", "metadata.namespace": namespaces[0], "spec.suspend": True})

    said = cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump(manifest))

    assert "serverside-applied" in said


@pytest.mark.parametrize("after", [None, {"revisions": None}], ids=["removed", "emptied"])
def test_baseline_stays_when_it_was_set(
    cluster: Cluster, crd: None, namespaces: tuple[str, str], after: dict[str, object] | None
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

    assert (UNCHANGEABLE if after is None else "spec.baseline.revisions: Required value") in failed.value.said


def test_words_are_explained_when_a_person_asks(cluster: Cluster, crd: None) -> None:
    said = cluster.kubectl("explain", "dbs.spec.revision")

    assert "a script's full id" in said
