"""The chart's values: described, held by the schema, and the schema holds nothing else."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from docs.generate import chart

from alembic_operator.control.serve.metrics import Metrics
from alembic_operator.control.settings import LEVELS

from .objects import CHART, VALUES

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def leaves(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> set[str]:
    """The paths of values, down to where the schema leaves the shape to Kubernetes."""
    found = set()
    for name, value in values.items():
        below = resolved(schema).get("properties", {}).get(name, {})
        inside = isinstance(value, dict) and name != "resources" and "properties" in resolved(below)
        found |= leaves(value, below, f"{path}{name}.") if inside else {f"{path}{name}"}
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    target = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = SCHEMA["definitions"][target] if target else schema
    return found


def schema_leaves(schema: dict[str, Any], path: str = "") -> set[str]:
    found = set()
    for name, child in resolved(schema).get("properties", {}).items():
        inside = "properties" in resolved(child) and name != "resources"
        found |= schema_leaves(child, f"{path}{name}.") if inside else {f"{path}{name}"}
    return found


def test_defaults_are_legal() -> None:
    assert [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(VALUES)] == []


def test_schema_and_values_name_the_same() -> None:
    only_in_schema = {"global", "runnerImage.pullPolicy"}  # Helm's own; and a part of the shape of every image

    assert schema_leaves(SCHEMA) - only_in_schema == leaves(VALUES, SCHEMA)


def test_every_value_is_in_the_table() -> None:
    table = (CHART / "README.md").read_text(encoding="utf-8")

    assert not [path for path in leaves(VALUES, SCHEMA) if f"| `{path}` |" not in table]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("replicas", "two"),
        ("replicas", -1),
        ("unknown", 1),
        ("image", {"digest": "sha256:0"}),
        ("image", {"tags": "1"}),
        ("watchNamespaces", ["Shop"]),
        ("watchNamespaces", ["a", "a"]),
        ("developmentNamespaces", "shop"),
        ("clusterId", "a b"),
        ("logLevel", "info"),
        ("shadow", {"images": {"14": "postgres:14"}}),
        ("shadow", {"images": {"latest": "postgres"}}),
        ("shadow", {"images": {"16": "Not an image"}}),
        ("shadow", {"image": {"16": "postgres:16"}}),
        ("workers", 0),
        ("resync", 9),
        ("admissionPolicies", "yes"),
        ("networkPolicy", {"apiServerPorts": []}),
        ("planNetworkPolicies", {"databasePorts": ["postgresql"]}),
        ("serviceMonitor", {"interval": "often"}),
        ("podLabels", {"a": 1}),
    ],
)
def test_value_is_refused_when_it_is_illegal(path: str, value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**VALUES, path: value}, SCHEMA)


def test_levels_are_those_that_the_operator_knows() -> None:
    assert SCHEMA["properties"]["logLevel"]["enum"] == list(LEVELS)


def test_generated_files_of_the_chart_are_up_to_date() -> None:
    stale = [path.name for path, text in chart.files().items() if path.read_text(encoding="utf-8") != text]

    assert not stale, f"run `make generate`: {stale}"


def test_alerts_ask_for_metrics_that_the_operator_has() -> None:
    metrics = Metrics()
    metrics.follow_queue(lambda: 0, lambda: 0.0)
    metrics.follow_resources(lambda: {"MigrationFailed": 1})
    exposed = metrics.exposition().decode()
    alerts = (CHART / "templates" / "prometheusrule.yaml").read_text(encoding="utf-8")
    asked = {
        word
        for word in alerts.replace("(", " ").replace(")", " ").replace("{", " ").split()
        if word.startswith("alembic_operator_")
    }

    assert asked
    assert not [name for name in asked if f"\n{name}" not in exposed]
