"""docs/api.md: every field of every CRD, with its type, default, bounds and rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from . import places

Schema = dict[str, Any]

_HEADER = """\
# API reference

Generated from `crds/` by `make generate`; `kubectl explain dbs.spec --recursive` prints the same. Fields without
*required* and without a default are optional. Rules are in italics: if a resource breaks a rule, the API server refuses
it with this message.
"""
_BOUNDS = {
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} entries",
    "minimum": "at least {}",
    "maximum": "at most {}",
}


def files() -> dict[Path, str]:
    """The reference, by its file."""
    crds = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(places.CRDS.glob("*.yaml"))]
    text = _HEADER + "".join(_kind(crd, version) for crd in crds for version in crd["spec"]["versions"])
    return {places.ROOT / "docs" / "api.md": text}


def _kind(crd: Schema, version: Schema) -> str:
    spec, root = crd["spec"], version["schema"]["openAPIV3Schema"]
    names = spec["names"]
    lines = [
        f"\n## {names['kind']} `{spec['group']}/{version['name']}`\n",
        f"{root['description']}\n",
        f"Short name `{names['shortNames'][0]}`, category `{names['categories'][0]}`.",
        f"Columns: {_columns(version, wide=False)}; with `-o wide` also {_columns(version, wide=True)}.\n",
    ]
    lines += [f"- {rule['message']}." for rule in root.get("x-kubernetes-validations", [])]
    for part in ("spec", "status"):
        schema = root["properties"][part]
        lines += [f"\n### {part}\n", schema["description"] + "\n"]
        lines += [f"- {rule['message']}." for rule in schema.get("x-kubernetes-validations", [])]
        lines += ["\n| field | type | default | meaning |", "|---|---|---|---|"]
        lines += [_row(*field) for field in _fields(schema, "")]
    return "\n".join(line for line in lines) + "\n"


def _columns(version: Schema, *, wide: bool) -> str:
    columns = (each for each in version["additionalPrinterColumns"] if bool(each.get("priority")) is wide)
    return ", ".join(f"`{column['name'].upper()}`" for column in columns)


def _fields(schema: Schema, prefix: str) -> Iterator[tuple[str, Schema, bool]]:
    """Each field below a schema: its path, its schema, and whether it is required."""
    for name, child in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, child, name in schema.get("required", [])
        if child.get("type") == "array":
            yield from _fields(child["items"], f"{path}[].")
        else:
            yield from _fields(child, f"{path}.")


def _row(path: str, schema: Schema, required: bool) -> str:
    default = "*required*" if required else _default(schema)
    words = schema["description"].removesuffix(" Required.")
    meaning = " ".join([words, *_limits(schema)]).replace("|", "\\|")
    return f"| `{path}` | {_type(schema)} | {default} | {meaning} |"


def _default(schema: Schema) -> str:
    value = schema.get("default")
    return "" if value in (None, {}) else f"`{json.dumps(value)}`"


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" if value else "empty" for value in schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if schema["type"] == "array":
        return f"list of {_several(schema['items'])}"
    if schema["type"] == "object" and "additionalProperties" in schema:
        return f"map to {_several(schema['additionalProperties'])}"
    return "time" if schema.get("format") == "date-time" else str(schema["type"])


def _several(schema: Schema) -> str:
    one = _type(schema)
    return one if "enum" in schema else "quantities" if one == "quantity" else f"{one}s"


def _limits(schema: Schema) -> Iterator[str]:
    """Sentences about what is legal: the bounds, the list's items, and the rules."""
    bounds = [words.format(schema[word]) for word, words in _BOUNDS.items() if word in schema]
    items = schema.get("items", {})
    if items.get("type") == "string":
        bounds += [f"each {words.format(items[word])}" for word, words in _BOUNDS.items() if word in items]
    if bounds:
        yield f"{'; '.join(bounds).capitalize()}."
    for holder in (schema, items):
        for rule in holder.get("x-kubernetes-validations", []):
            yield f"*{rule['message']}*."
