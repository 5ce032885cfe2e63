"""Which cluster the demo takes, and what it says where it cannot run."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from demo import target
from tests.cluster import lifecycle
from tests.cluster.lifecycle import Cluster
from tests.cluster.processes import NotPossible
from tests.cluster.progress import console

OWN = Cluster(
    name="demo",
    kubeconfig=Path("/own/kubeconfig"),
    registry="10.0.0.1:5000",
    private_registry="",
    host_address="10.0.0.1",
    bin=Path("/own/bin"),
    audit_log=Path(os.devnull),
)


@pytest.fixture
def capable(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    return monkeypatch


def refusal() -> str:
    with pytest.raises(NotPossible) as refused:
        target.check_machine()
    return str(refused.value)


def test_nothing_is_refused_when_the_machine_can_do_it(capable: pytest.MonkeyPatch) -> None:
    refused = []
    try:
        target.check_machine()
    except NotPossible as problem:
        refused.append(str(problem))
    assert refused == []


def test_one_line_names_the_remedy_when_it_is_not_linux(capable: pytest.MonkeyPatch) -> None:
    capable.setattr(sys, "platform", "darwin")
    assert refusal() == "the demo needs Linux: run it in a Debian 12 virtual machine or container"


def test_one_line_names_the_remedy_when_it_is_not_root(capable: pytest.MonkeyPatch) -> None:
    capable.setattr(os, "geteuid", lambda: 1000)
    assert refusal() == "the demo needs root, to build images and start servers: sudo make demo"


def test_one_line_names_the_remedy_when_there_is_no_apt(capable: pytest.MonkeyPatch) -> None:
    capable.setattr(shutil, "which", lambda program: None)
    assert refusal() == "the demo installs Debian packages, and there is no apt-get: run it on Debian 12"


@dataclass(frozen=True)
class Case:
    config: str
    registry: str
    running: Cluster | None
    given: bool
    said: str = ""


@pytest.mark.parametrize(
    "case",
    [
        Case("", "", None, given=False),
        Case("/theirs", "r:5000", None, given=True),
        Case("/theirs", "r:5000", OWN, given=True),
        Case("/own/kubeconfig", "", OWN, given=False),
        Case("/own/kubeconfig", "10.0.0.1:5000", OWN, given=False),
        Case("/theirs", "", None, given=False, said="KUBECONFIG is set, IMAGE_REGISTRY is not"),
        Case("", "r:5000", None, given=False, said="IMAGE_REGISTRY is set, KUBECONFIG is not"),
    ],
)
def test_a_cluster_is_taken_only_when_both_variables_name_one(monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
    monkeypatch.setenv("KUBECONFIG", case.config)
    monkeypatch.setenv("IMAGE_REGISTRY", case.registry)
    monkeypatch.setattr(lifecycle, "find", lambda name: case.running)
    with console.capture() as captured:
        assert target.given() is case.given
    said = captured.get()
    assert said.startswith(case.said)
    assert bool(said) is bool(case.said)


def test_the_own_cluster_is_not_taken_for_a_given_one_when_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/theirs")
    monkeypatch.setenv("IMAGE_REGISTRY", "r:5000")
    monkeypatch.setattr(lifecycle, "find", lambda name: replace(OWN, kubeconfig=Path("/elsewhere")))
    assert target.given() is True
