"""The names of a run's clusters: whose they are is read from them, so that nothing of a dead run stays."""

from __future__ import annotations

import os

import pytest
from tests.cluster.instance import checked_name
from tests.cluster.owned import name_of, owner_of


def test_name_is_the_same_in_the_run_and_in_each_of_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert owner_of(name_of("port")) == os.getpid()
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw3")
    assert owner_of(name_of("port")) == os.getppid()


def test_longest_part_leaves_room_for_the_longest_process_id() -> None:
    assert owner_of(checked_name("manifests-p4194304")) == 4194304


@pytest.mark.parametrize("name", ["default", "demo", "storm", "my-p", "p12"])
def test_cluster_that_a_person_started_has_no_owner(name: str) -> None:
    assert owner_of(name) is None
