"""The lanes of the tests: what shares a server or a cluster is in one of them, and the waiting ones come first."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lanes import lane_of, place_of

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("tests/unit/core/test_decide.py", "unit/core"),
        ("tests/unit/test_assertions.py", "unit/test_assertions"),
        ("tests/component/runner/planning/test_evidence.py", "component/runner/planning/test_evidence"),
        ("tests/cluster/test_cluster.py", "cluster"),
        ("tests/cluster/test_oci.py", "cluster/test_oci"),
        ("tests/e2e/test_kube_port.py", "port"),
        ("tests/e2e/storm/test_storm.py", "storm"),
        ("tests/e2e/admission/test_crd.py", "manifests"),
        ("tests/e2e/chart/test_upgrade.py", "manifests"),
        ("tests/e2e/installed/test_operator.py", "operator-1"),
        ("tests/e2e/installed/test_surprises.py", "operator-2"),
    ],
)
def test_file_is_in_the_lane_of_what_it_shares(path: str, lane: str) -> None:
    assert lane_of(path) == lane


def test_rights_are_asked_in_the_lane_of_the_tests_that_use_them_all() -> None:
    assert lane_of("tests/e2e/installed/test_rights.py") == lane_of("tests/e2e/installed/test_operator.py")


def test_lanes_that_wait_for_a_cluster_begin_before_all_others() -> None:
    begun = sorted({lane_of(path) for path in FILES}, key=place_of)

    assert begun[:6] == ["operator-1", "operator-2", "storm", "cluster", "port", "manifests"]
