"""What a row of the catalog says of a relation, a column or a trigger; what has its default is left out."""

from __future__ import annotations

from typing import Any

from .text import normal, view

RELATION_KINDS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table"}
_REPLICA = {"f": "full", "n": "nothing"}
_STORAGE = {"p": "plain", "e": "external", "x": "extended", "m": "main"}
_COMPRESSION = {"p": "pglz", "l": "lz4"}
_IDENTITY = {"a": "always", "d": "by default"}
_GENERATED = {"s": "stored", "v": "virtual"}
_ENABLED = {"D": "disabled", "R": "replica", "A": "always", "O": "origin"}

# What only tunes a server's work: people set it where the load is, and no history has it.
_TUNING = ("autovacuum_", "toast", "log_autovacuum", "vacuum_", "parallel_workers")


def relation_facts(row: tuple[Any, ...]) -> dict[str, Any]:
    """A relation's own properties: a row of queries.RELATIONS from its kind on."""
    kind, persistence, replica, secured, forced, options, method, of_type = row[:8]
    partition_key, bound, query, parents, server, server_options = row[8:]
    facts: dict[str, Any] = {
        "unlogged": persistence == "u",
        "replica identity": _REPLICA.get(replica) if kind in ("r", "p") else None,
        "row security": secured,
        "row security forced": forced,
        "options": sorted(option for option in options or [] if not option.startswith(_TUNING)),
        "access method": method if method != "heap" else None,
        "of type": of_type and normal(of_type),
        "partitioned by": partition_key and normal(partition_key),
        "partition of" if bound else "inherits": [normal(parent) for parent in parents or []],
        "bound": bound and normal(bound),
        "query": query and view(query),
        "server": server,
        "server options": sorted(server_options or []),
    }
    return short(facts)


def column_facts(row: tuple[Any, ...]) -> dict[str, Any]:
    """A column: a row of queries.COLUMNS from its type on."""
    type_, not_null, identity, generated, default, collation, storage, compression, server_options = row
    facts: dict[str, Any] = {
        "type": normal(type_),
        "not null": not_null,
        "identity": _IDENTITY.get(identity),
        "generated": _GENERATED.get(generated),
        "expression" if generated else "default": default and normal(default),
        "collation": collation and normal(collation),
        "storage": _STORAGE.get(storage),
        "compression": _COMPRESSION.get(compression),
        "server options": sorted(server_options or []),
    }
    return short(facts)


def trigger_facts(definition: str | None, enabled: str, *, always: bool = False) -> dict[str, Any]:
    """A trigger or rule; when it fires is left out where that is as usual, unless `always`."""
    facts: dict[str, Any] = {}
    if definition is not None:
        facts["definition"] = normal(definition)
    if enabled != "O" or always:
        facts["enabled"] = _ENABLED[enabled]
    return facts


def short(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what has its default."""
    return {key: value for key, value in facts.items() if value not in (None, False, "", [])}
