"""The inputs of a plan: what counts, and what does not."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_operator.contract.canonical_json import digest
from alembic_operator.contract.request import Approved, Owner, RunKind, RunRequest, Timeouts
from alembic_operator.contract.version import VERSION
from alembic_operator.runner.database.driver import Driver
from alembic_operator.runner.database.search_path import SearchPath
from alembic_operator.runner.database.session import VersionTable
from alembic_operator.runner.history.graph import Graph, RevisionFile
from alembic_operator.runner.history.inputs import inputs_of, major_version
from alembic_operator.runner.history.load import History

REQUEST = RunRequest(RunKind.PLAN, Owner("c1", "shop", "db", "uid-1"), 1, "job", "b", "db-app")
FILES = {
    "a": RevisionFile("a", (), (), "a.py", "sha-a"),
    "b": RevisionFile("b", ("a",), ("x",), "b.py", "sha-b"),
    "x": RevisionFile("x", (), (), "x.py", "sha-x"),
    "later": RevisionFile("later", ("b",), (), "later.py", "sha-later"),
}


class FakeModule(ModuleType):
    __version__ = "2.9.10 (dt dec pq3 ext lo64)"


def inputs(request: RunRequest = REQUEST, files: dict[str, RevisionFile] = FILES, **other: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "server_version": "18.1",
        "identity": "sha256:1",
        "journal_id": 7,
        "from_revisions": ["a"],
        "to_revisions": ["b"],
        "direction": "Upgrade",
        "version_table": VersionTable("public", "alembic_version"),
        "search_path": SearchPath(("public",)),
        "history": History(Config(), cast(ScriptDirectory, None), Graph(files)),
        "driver": Driver("psycopg2", FakeModule("psycopg2")),
        "bundle": "sha256:2",
    }
    return inputs_of(request, **{**facts, **other})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_version", "17.9"),
        ("identity", "sha256:other"),
        ("journal_id", 8),
        ("from_revisions", []),
        ("to_revisions", ["later"]),
        ("direction", "Downgrade"),
        ("version_table", VersionTable("public", "versions")),
        ("version_table", VersionTable("shop", "alembic_version")),
        ("search_path", SearchPath(("shop", "public"))),
        ("search_path", SearchPath(("public",), missing=("public",))),
        ("bundle", "sha256:other"),
        ("driver", Driver("psycopg", FakeModule("psycopg"))),
    ],
)
def test_inputs_differ_when_a_fact_differs(name: str, value: Any) -> None:
    assert digest(inputs(**{name: value})) != digest(inputs())


@pytest.mark.parametrize(
    "change",
    [
        {"target": replace(REQUEST.target, uid="uid-2")},
        {"image": "registry.example/shop@sha256:" + "1" * 64},
        {"role": "owner"},
        {"path": "/srv"},
        {"python": "/venv/bin/python"},
        {"config_file": "other.ini"},
        {"environment": "Project"},
        {"env_names": ["REGION"]},
    ],
)
def test_inputs_differ_when_what_steers_the_run_differs(change: dict[str, Any]) -> None:
    assert digest(inputs(replace(REQUEST, **change))) != digest(inputs())


def test_inputs_differ_when_only_the_digest_of_the_image_differs() -> None:
    one, other = (replace(REQUEST, image=f"registry.example/shop@sha256:{digit * 64}") for digit in "01")
    assert digest(inputs(one)) != digest(inputs(other))


@pytest.mark.parametrize(
    "change",
    [{"sha256": "other"}, {"path": "other.py"}, {"down": ()}, {"depends": ()}],
)
def test_inputs_differ_when_a_revision_file_differs(change: dict[str, Any]) -> None:
    assert digest(inputs(files={**FILES, "b": replace(FILES["b"], **change)})) != digest(inputs())


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 2},
        {"job": "another"},
        {"kind": RunKind.APPLY},
        {"secret_name": "review"},
        {"secret_key": "other"},
        {"revision": "head"},
        {"timeouts": Timeouts(run=1.0)},
        {"approved": Approved("p", "u", "d", "i", "Upgrade", [], [], 0)},
    ],
)
def test_inputs_are_the_same_when_only_the_run_differs(change: dict[str, Any]) -> None:
    assert inputs(replace(REQUEST, **change)) == inputs()


def test_revisions_stand_oldest_first_with_those_depended_on_and_none_after_the_target() -> None:
    assert [one["id"] for one in inputs()["revisions"]] == ["a", "x", "b"]


def test_revisions_hold_those_to_be_taken_back_when_it_goes_down() -> None:
    found = inputs(from_revisions=["later"], to_revisions=["b"], direction="Downgrade")["revisions"]
    assert [one["id"] for one in found] == ["a", "x", "b", "later"]


def test_driver_is_named_without_what_it_was_built_with() -> None:
    assert inputs()["versions"]["driver"] == "psycopg2 2.9.10"


@pytest.mark.parametrize(("text", "major"), [("18.1", 18), ("16beta2", 16), ("15.18 (Debian 15.18-1)", 15), ("", 0)])
def test_major_version_is_the_leading_number(text: str, major: int) -> None:
    assert major_version(text) == major


def test_version_is_that_of_the_distribution() -> None:
    project = Path(__file__).parents[4] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == VERSION
