"""The CRDs as the tests read them: their schemas, flattened to one entry a path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "crds"


def crd(plural: str) -> dict[str, Any]:
    """The CRD of that kind."""
    text = (FOLDER / f"alembic-operator.dev_{plural}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return found


CRD = crd("databaseschemas")
PLAN_CRD = crd("schemaplans")
VERSION: dict[str, Any] = CRD["spec"]["versions"][0]
ROOT: dict[str, Any] = VERSION["schema"]["openAPIV3Schema"]
SPEC: dict[str, Any] = ROOT["properties"]["spec"]
STATUS: dict[str, Any] = ROOT["properties"]["status"]


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema below and with this one, with its path: `spec.job.env[].name`, `spec.job.podLabels{}`."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from walk(schema["additionalProperties"], f"{path}{{}}")


FIELDS = dict([*walk(SPEC, "spec"), *walk(STATUS, "status")])
EVERYTHING = dict(walk(ROOT, ""))
PLAN_ROOT: dict[str, Any] = PLAN_CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
PLAN_EVERYTHING = dict(walk(PLAN_ROOT, ""))
PLAN_FIELDS = {
    path: schema for part in ("spec", "status") for path, schema in walk(PLAN_ROOT["properties"][part], part)
}


def rules() -> dict[str, set[str]]:
    """The words of every rule of a DatabaseSchema, and the paths that they stand at."""
    found: dict[str, set[str]] = {}
    for path, schema in EVERYTHING.items():
        for rule in schema.get("x-kubernetes-validations", []):
            found.setdefault(rule["message"], set()).add(path.lstrip("."))
    return found
