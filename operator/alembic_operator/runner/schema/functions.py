"""What a row of the catalog says of a function, a procedure or an aggregate."""

from __future__ import annotations

import json
from typing import Any

from .text import normal

FUNCTION_KINDS = {"f": "function", "w": "function", "p": "procedure", "a": "aggregate"}
_VOLATILE = {"i": "immutable", "s": "stable"}
_PARALLEL = {"s": "safe", "r": "restricted"}


def function_facts(row: tuple[Any, ...]) -> dict[str, Any]:
    """A function: a row of queries.FUNCTIONS from its kind on. Its body is taken as it stands."""
    kind, arguments, result, language, volatile, parallel, strict, definer, leakproof, cost = row[:10]
    expected_rows, settings, sql_body, body, library, aggregate = row[10:]
    facts: dict[str, Any] = {
        "arguments": normal(arguments),
        "result": result and normal(result),
        "language": language,
        "volatility": _VOLATILE.get(volatile),
        "parallel": _PARALLEL.get(parallel),
        "strict": strict,
        "security definer": definer,
        "leakproof": leakproof,
        "window": kind == "w",
        "cost": cost if kind != "a" else None,
        "rows": expected_rows if expected_rows != "0" else None,
        "settings": sorted(settings) if settings else None,
        "body": normal(sql_body) if sql_body else body,
        "library": library,
    }
    if aggregate is not None:
        for key, value in json.loads(aggregate).items():
            if key == "initial":
                facts[key] = value
            elif value not in ("-", "0"):  # how the catalog writes none
                facts[key] = value and normal(value)
    return {key: value for key, value in facts.items() if value not in (None, False) and (value or key == "initial")}
