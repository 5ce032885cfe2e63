"""The CRD is complete by its own rules: described, bounded, small, and without a word that Kubernetes does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .crd import CRD, EVERYTHING, FIELDS, PLAN_CRD, PLAN_EVERYTHING, PLAN_FIELDS, STATUS, VERSION

Fields = dict[str, dict[str, Any]]

KNOWN = {
    "additionalProperties", "anyOf", "default", "description", "enum", "format", "items", "maxItems", "maxLength",
    "maxProperties", "maximum", "minItems", "minLength", "minimum", "pattern", "properties", "required", "type",
    "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-validations",
}  # fmt: skip
BY_THE_OPERATOR = {
    f"spec.migrations.{name}" for name in ("path", "python", "configFile", "section")
}  # refused beside configMap, where a default of the API server would refuse every ConfigMap


BOTH = [("dbs", path, FIELDS) for path in FIELDS] + [("splan", path, PLAN_FIELDS) for path in PLAN_FIELDS]
NAMED = [(kind, path, fields) for kind, path, fields in BOTH if not path.endswith(("[]", "{}"))]


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def lacks_a_bound(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ""
    needed = {
        "string": ("maxLength",),
        "integer": ("minimum",),
        "array": ("maxItems",),
        "object": ("properties",) if "additionalProperties" not in schema else ("maxProperties",),
    }.get(schema.get("type", ""), ())
    return " ".join(word for word in needed if word not in schema)


@pytest.mark.parametrize(("kind", "path", "fields"), BOTH, ids=text)
def test_field_is_bounded_when_it_is_in_the_schema(kind: str, path: str, fields: Fields) -> None:
    assert not lacks_a_bound(fields[path])


@pytest.mark.parametrize(("kind", "path", "fields"), NAMED, ids=text)
def test_field_is_described_when_it_is_in_the_schema(kind: str, path: str, fields: Fields) -> None:
    assert fields[path].get("description", "").endswith(".")


@pytest.mark.parametrize(("kind", "path", "fields"), [case for case in NAMED if case[1].startswith("spec.")], ids=text)
def test_field_is_defaulted_required_or_says_what_its_absence_means(kind: str, path: str, fields: Fields) -> None:
    schema, (parent, _, name) = fields[path], path.rpartition(".")
    optional = "default" not in schema and name not in fields[parent].get("required", [])
    one_of = parent.endswith((".volumes[]", ".startupProbe", ".valueFrom", ".migrations", ".env[]"))
    words = ("by default", "absent", "empty", "default is", "instead of", "without it")

    assert not optional or one_of or any(word in schema["description"].lower() for word in words)


def test_fields_without_a_default_are_named_when_the_operator_defaults_them() -> None:
    assert all("The operator's default is `" in FIELDS[path]["description"] for path in BY_THE_OPERATOR)
    assert not any("default" in FIELDS[path] for path in BY_THE_OPERATOR)


def test_schema_holds_no_word_that_kubernetes_does_not_know() -> None:
    assert {word for schema in [*EVERYTHING.values(), *PLAN_EVERYTHING.values()] for word in schema} <= KNOWN


def test_lists_name_their_merge_when_they_are_applied_by_several_managers() -> None:
    assert all(
        "x-kubernetes-list-type" in s
        for s in [*EVERYTHING.values(), *PLAN_EVERYTHING.values()]
        if s.get("type") == "array"
    )


def test_crd_stays_small_enough_for_client_side_apply() -> None:
    assert max(len(json.dumps(crd)) for crd in (CRD, PLAN_CRD)) < 100_000


def test_columns_are_those_of_the_design() -> None:
    columns = VERSION["additionalPrinterColumns"]

    assert [c["name"] for c in columns if not c.get("priority")] == [
        "Current", "Target", "Pending", "Ready", "Reason", "Age",
    ]  # fmt: skip
    assert [c["name"] for c in columns if c.get("priority")] == ["Engine", "Plan", "Image", "Message"]


def test_fresh_object_is_in_progress_for_kstatus() -> None:
    assert STATUS["default"] == {"observedGeneration": -1}
    assert VERSION["subresources"] == {"status": {}}


def test_conditions_are_a_map_by_type_so_that_appliers_do_not_undo_each_other() -> None:
    conditions = FIELDS["status.conditions"]

    assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == ("map", ["type"])


@pytest.mark.parametrize(("crd", "short"), [(CRD, "dbs"), (PLAN_CRD, "splan")], ids=["dbs", "splan"])
def test_names_are_those_of_the_design(crd: dict[str, Any], short: str) -> None:
    names = crd["spec"]["names"]

    assert (crd["spec"]["scope"], names["shortNames"], names["categories"]) == ("Namespaced", [short], ["alembic"])


def test_columns_of_a_plan_are_those_of_the_design() -> None:
    version = PLAN_CRD["spec"]["versions"][0]
    columns = version["additionalPrinterColumns"]

    assert [c["name"] for c in columns if not c.get("priority")] == [
        "Schema", "From", "To", "Steps", "Errors", "Warnings", "Phase", "By", "Age",
    ]  # fmt: skip
    assert version["subresources"] == {"status": {}}
