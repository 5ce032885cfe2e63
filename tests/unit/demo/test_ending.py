"""What an interrupted demo says is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo import database, ending, lasting, places
from tests.cluster import instance
from tests.cluster.progress import console


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(places, "STATE", tmp_path / "state")
    monkeypatch.setattr(places, "RECORD", tmp_path / "state" / "demo.json")
    monkeypatch.setattr(places, "POSTGRES", tmp_path / "state" / "postgres")
    monkeypatch.setattr(instance, "known", lambda name: None)
    return monkeypatch


def said() -> str:
    with console.capture() as captured:
        ending.say_what_is_left()
    return captured.get().strip()


def test_it_says_so_when_nothing_is_left(nothing: pytest.MonkeyPatch) -> None:
    assert said() == "Nothing of the demo is left."


def test_cluster_server_and_remedy_are_named_when_they_are_left(nothing: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing.setattr(instance, "known", lambda name: instance.Instance(name, 7))
    nothing.setattr(database, "find", lambda folder: database.Server(folder, "10.78.7.1", 5432))
    text = " ".join(said().split())
    assert "the cluster demo, PostgreSQL on port 5432" in text
    assert "make demo-down" in text


def test_the_given_cluster_is_named_when_the_demo_is_in_it(nothing: pytest.MonkeyPatch) -> None:
    lasting.write(lasting.Left("/their/kubeconfig", "r:5000", definitions=True))
    assert any("in the cluster of /their/kubeconfig" in line for line in ending.left_over())


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"unknown": 1}'])
def test_the_record_counts_as_empty_when_it_was_cut_off(nothing: pytest.MonkeyPatch, text: str) -> None:
    places.RECORD.parent.mkdir(parents=True)
    places.RECORD.write_text(text)
    assert lasting.read() == lasting.Left()
