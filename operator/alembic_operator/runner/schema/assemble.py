"""Rows of the catalog put together as objects with parts. Pure: what a row holds stands in `queries`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..database.session import VersionTable
from .functions import FUNCTION_KINDS, function_facts
from .relations import RELATION_KINDS, column_facts, relation_facts, short, trigger_facts
from .text import full_name, name, normal

_BACKFILLS = "alembic_operator_backfill"  # where the helpers keep their place, without the operator

Rows = Iterable[tuple[Any, ...]]
Facts = dict[str, Any]


class Assembly:
    """The objects as they grow; the order in which things are added is the order of their dependence.

    Attributes:
        objects: of the snapshot.
    """

    def __init__(self, version_table: VersionTable) -> None:
        self.objects: dict[str, dict[str, Facts]] = {}
        self._version_table = version_table
        self._members: set[tuple[str, int]] = set()
        self._where: dict[tuple[str, int], tuple[str, str]] = {}  # catalog and oid to object and part, for the comments
        self._relations: dict[int, str] = {}
        self._composites: dict[int, str] = {}
        self._columns: dict[tuple[int, int], str] = {}

    def _object(self, catalog: str, oid: int, key: str, facts: Facts) -> None:
        self.objects[key] = {"": facts}
        self._where[catalog, oid] = (key, "")

    def _part(self, catalog: str, oid: int, key: str, part: str, facts: Facts) -> None:
        self.objects[key][part] = facts
        self._where[catalog, oid] = (key, part)

    def _known(self, catalog: str, found: Rows) -> Iterable[tuple[Any, ...]]:
        """The rows that are not members of an extension; a row begins with its oid."""
        return (row for row in found if (catalog, row[0]) not in self._members)

    def add_members(self, found: Rows) -> None:
        """What belongs to something else as a whole."""
        self._members = {(catalog, oid) for catalog, oid in found}

    def add_namespaces(self, found: Rows) -> None:
        """Schemas."""
        for oid, schema in found:
            self._object("pg_namespace", oid, f"schema {name(schema)}", {})

    def add_relations(self, found: Rows) -> None:
        """Tables, views, materialized views and foreign tables."""
        for row in self._known("pg_class", found):
            oid, schema, relation, kind = row[:4]
            if (schema, relation) == (self._version_table.schema, self._version_table.table) or relation == _BACKFILLS:
                continue
            key = self._relations[oid] = f"{RELATION_KINDS[kind]} {full_name(schema, relation)}"
            self._object("pg_class", oid, key, relation_facts(row[3:]))

    def add_types(self, found: Rows) -> None:
        """Enumerations, domains, composites, ranges and base types."""
        for row in self._known("pg_type", found):
            oid, schema, type_, kind, relation, labels, base, not_null, default, collation, range_ = row
            facts: Facts = {}
            key = f"type {full_name(schema, type_)}"
            if kind == "e":
                facts = {"labels": labels}
            elif kind == "d":
                key = f"domain {full_name(schema, type_)}"
                facts = {"type": normal(base), "not null": not_null, "default": default and normal(default)}
                facts["collation"] = collation and normal(collation)
            elif kind == "r":
                facts = _texts(range_)
            elif kind == "c":
                self._composites[relation] = key
            self._object("pg_type", oid, key, short({"kind": _TYPE_KINDS[kind], **facts}))

    def add_columns(self, found: Rows) -> None:
        """Columns, and the attributes of composite types, whose order counts."""
        for row in found:
            oid, column, number = row[:3]
            if oid in self._relations:
                self._columns[oid, number] = f"column {name(column)}"
                self.objects[self._relations[oid]][f"column {name(column)}"] = column_facts(row[3:])
            elif oid in self._composites:
                collation = f" COLLATE {normal(row[8])}" if row[8] else ""
                attributes = self.objects[self._composites[oid]][""].setdefault("attributes", [])
                attributes.append(f"{name(column)} {normal(row[3])}{collation}")

    def add_sequences(self, found: Rows) -> None:
        """Sequences; one that belongs to a column is among the column's facts."""
        for row in self._known("pg_class", found):
            oid, schema, sequence, persistence, type_, start, increment, least, most, cache, cycle = row[:11]
            table, column, owned = row[11:]
            texts = {"start": start, "increment": increment, "min": least, "max": most, "cache": cache}
            facts = short({"type": type_, "cycle": cycle, **texts})
            if owned is None:
                facts.update(short({"unlogged": persistence == "u"}))
                self._object("pg_class", oid, f"sequence {full_name(schema, sequence)}", facts)
            elif table in self._relations:
                if owned == "a":
                    facts["name"] = full_name(schema, sequence)
                part = self.objects[self._relations[table]][f"column {name(column)}"]
                part["sequences"] = sorted([*part.get("sequences", []), facts], key=lambda one: one.get("name", ""))

    def add_constraints(self, found: Rows) -> None:
        """Constraints of tables and domains; NOT NULL is a column's fact in every version."""
        domains = {oid: key for (catalog, oid), (key, _) in self._where.items() if catalog == "pg_type"}
        for oid, table, domain, constraint, kind, definition, validated, no_inherit, column in found:
            key = self._relations.get(table) or domains.get(domain)
            if key is None:
                continue
            if kind == "n":
                facts = self.objects[key].get(f"column {name(column)}", {}) if column else {}
                facts.update(short({"not null not valid": not validated, "not null no inherit": no_inherit}))
            else:
                text = normal(definition)
                self._part("pg_constraint", oid, key, f"constraint {name(constraint)}", {"definition": text})

    def add_indexes(self, found: Rows) -> None:
        """Indexes, but for those of constraints and those that follow from a partitioned index."""
        for oid, table, index, definition, valid, clustered, replica, attached, of_constraint in found:
            key = self._relations.get(table)
            if key is None:
                continue
            if clustered:
                self.objects[key][""]["cluster on"] = name(index)
            if replica:
                self.objects[key][""]["replica identity"] = f"index {name(index)}"
            if not attached and not of_constraint:
                facts = short({"definition": normal(definition), "invalid": not valid})
                self._part("pg_class", oid, key, f"index {name(index)}", facts)

    def add_triggers(self, found: Rows) -> None:
        """Triggers, and where copies of them and those of foreign keys are not enabled as usual."""
        for oid, table, trigger, enabled, internal, constraint, copy, definition in found:
            key = self._relations.get(table)
            if key is None:
                continue
            if internal:
                part = f"triggers of constraint {name(constraint or trigger)}"
                self.objects[key][part] = trigger_facts(None, enabled)
            else:
                facts = trigger_facts(definition, enabled) if not copy else trigger_facts(None, enabled, always=True)
                self._part("pg_trigger", oid, key, f"trigger {name(trigger)}", facts)

    def add_policies(self, found: Rows) -> None:
        """Policies of row security."""
        commands = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
        for oid, table, policy, command, permissive, roles, using, check in found:
            if table in self._relations:
                facts: Facts = {"for": commands[command], "to": sorted(roles), "restrictive": not permissive}
                facts.update({"using": using and normal(using), "with check": check and normal(check)})
                self._part("pg_policy", oid, self._relations[table], f"policy {name(policy)}", short(facts))

    def add_rules(self, found: Rows) -> None:
        """Rewrite rules, but for those that make a view."""
        for oid, table, rule, enabled, definition in found:
            if table in self._relations:
                facts = trigger_facts(definition, enabled)
                self._part("pg_rewrite", oid, self._relations[table], f"rule {name(rule)}", facts)

    def add_functions(self, found: Rows) -> None:
        """Functions, procedures and aggregates, by the types of their arguments."""
        for row in self._known("pg_proc", found):
            oid, schema, function, arguments, kind = row[:5]
            key = f"{FUNCTION_KINDS[kind]} {full_name(schema, function)}({normal(arguments)})"
            self._object("pg_proc", oid, key, function_facts(row[4:]))

    def add_statistics(self, found: Rows) -> None:
        """Extended statistics: parts of their table."""
        for oid, table, statistics, definition in found:
            if table in self._relations:
                facts = {"definition": normal(definition)}
                self._part("pg_statistic_ext", oid, self._relations[table], f"statistics {name(statistics)}", facts)

    def add_others(self, found: Rows) -> None:
        """Operators, operator classes, collations, text search."""
        for catalog, oid, kind, schema, object_, facts in found:
            if (catalog, oid) not in self._members:
                # An operator's name is no identifier, and what follows it in brackets is none either.
                shown = object_ if "(" in object_ or " using " in object_ else name(object_)
                self._object(catalog, oid, f"{kind} {name(schema)}.{shown}", _texts(facts))

    def add_comments(self, found: Rows) -> None:
        """Comments, on whatever is among the objects."""
        for catalog, oid, number, comment in found:
            if number:
                if (oid, number) not in self._columns:
                    continue
                key, part = self._relations[oid], self._columns[oid, number]
            elif (catalog, oid) in self._where:
                key, part = self._where[catalog, oid]
            else:
                continue
            self.objects[key][part]["comment"] = comment


_TYPE_KINDS = {"e": "enum", "d": "domain", "c": "composite", "r": "range", "b": "base"}


def _texts(text: str) -> Facts:
    """Facts that the server put together as JSON, its texts made alike."""
    return short({key: normal(value) if isinstance(value, str) else value for key, value in json.loads(text).items()})
