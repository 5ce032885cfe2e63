"""The CRD as the API server uses it: fills defaults in, and refuses what does not fit (all but the CEL rules)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

SCHEMAS, PLANS = "databaseschemas", "schemaplans"
CRDS = Path(__file__).parents[2] / "crds"


@cache
def part(name: str, plural: str = SCHEMAS) -> Mapping[str, Any]:
    """The schema of `spec` or of `status`."""
    crd = yaml.load((CRDS / f"alembic-operator.dev_{plural}.yaml").read_text(), yaml.CSafeLoader)
    found: Mapping[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][name]
    return found


def defaulted(value: Any, schema: Mapping[str, Any]) -> Any:
    """A copy of the value with the schema's defaults in it."""
    if isinstance(value, Mapping):
        filled = {key: copy.deepcopy(item) for key, item in value.items()}
        for key, inner in schema.get("properties", {}).items():
            if key not in filled and "default" in inner:
                filled[key] = copy.deepcopy(inner["default"])
            if key in filled:
                filled[key] = defaulted(filled[key], inner)
        return filled
    if isinstance(value, list):
        return [defaulted(item, schema.get("items", {})) for item in value]
    return value


def misfit(value: Any, schema: Mapping[str, Any], path: str) -> str | None:
    """What in the value does not fit, or is not in the schema at all; None when it fits."""
    for error in jsonschema.Draft7Validator(schema).iter_errors(value):
        return f"{'.'.join([path, *map(str, error.absolute_path)])}: {error.message}"
    if unknown := _undeclared(value, schema, path):
        return f"{unknown}: field not declared in schema"
    if twice := _twice(value, schema, path):
        return f"{twice}: duplicate entries for key"
    return None


def _undeclared(value: Any, schema: Mapping[str, Any], path: str) -> str | None:
    if isinstance(value, Mapping) and "properties" in schema:
        for key, item in value.items():
            if key not in schema["properties"]:
                return f"{path}.{key}"
            if found := _undeclared(item, schema["properties"][key], f"{path}.{key}"):
                return found
    if isinstance(value, list):
        for item in value:
            if found := _undeclared(item, schema.get("items", {}), path):
                return found
    return None


def _twice(value: Any, schema: Mapping[str, Any], path: str) -> str | None:
    """Where a list that is a map by some keys has two entries of one key (in the top level of the status)."""
    for field, inner in schema.get("properties", {}).items():
        keys = inner.get("x-kubernetes-list-map-keys")
        entries = [tuple(item[key] for key in keys) for item in value.get(field) or ()] if keys else []
        if len(entries) != len(set(entries)):
            return f"{path}.{field}"
    return None
