"""What a statement is about, by its words alone: for statements that the parser may not have read."""

from __future__ import annotations

from dataclasses import dataclass

from .plan_state import PlanState

_KINDS = frozenset(
    {"TABLE", "FOREIGN", "MATERIALIZED", "VIEW", "SEQUENCE", "INDEX", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE"}
    | {"ROUTINE", "AGGREGATE", "TRIGGER", "RULE", "POLICY", "ROLE", "USER", "GROUP", "EXTENSION", "SCHEMA", "DATABASE"}
    | {"PUBLICATION", "SUBSCRIPTION", "SERVER", "OPERATOR", "CLASS", "FAMILY", "COLLATION", "STATISTICS", "EVENT"}
)
_BETWEEN = frozenset({"IF", "NOT", "EXISTS", "ONLY", "OR", "REPLACE", "UNIQUE", "CONCURRENTLY", "UNLOGGED", "TEMP"})
_BETWEEN |= {"TEMPORARY", "RECURSIVE", "CONSTRAINT"}
_BEFORE_NAME = _KINDS | _BETWEEN
_IN_NO_SCHEMA = frozenset(
    {"ROLE", "USER", "GROUP", "EXTENSION", "SCHEMA", "DATABASE", "PUBLICATION", "SUBSCRIPTION", "SERVER", "EVENT"}
)
_OF_TABLES = frozenset({"TRIGGER", "RULE", "POLICY"})
_COLUMNS = frozenset({"ALTER", "DROP", "RENAME"})
_NO_COLUMN = frozenset({"CONSTRAINT", "TO", "IF"})


@dataclass(frozen=True)
class StatementTarget:
    """What a statement is about.

    Attributes:
        name: as a finding names it: `public.orders`, `public.orders.id`, `seen on public.orders`, `app`; "" for none.
        table: the table that this is a part of; "" for none.
        column: (table, column).
    """

    name: str = ""
    table: str = ""
    column: tuple[str, str] | None = None


def subject(words: list[str], state: PlanState) -> StatementTarget:
    """What a statement is about; of several objects the first."""
    upper = [one.upper() for one in words]
    if upper[0] == "REVOKE":
        return _revoked(words, upper, state)
    at, kinds = 1, set[str]()
    while at < len(words) and upper[at] in _BEFORE_NAME:
        kinds |= {upper[at]} & _KINDS
        at += 1
    name, after = _name(words, at)
    if not name or not (kinds or upper[0] in ("TRUNCATE", "CLUSTER", "REINDEX")):
        return StatementTarget()
    if kinds & _OF_TABLES and "EVENT" not in kinds and "ON" in upper[after:]:
        table = state.qualified(_name(words, upper.index("ON", after) + 1)[0])
        return StatementTarget(f"{name[-1]} on {table}", table)
    if kinds & _IN_NO_SCHEMA:
        return StatementTarget(".".join(name))
    found = state.qualified(name)
    if "TABLE" in kinds and upper[after : after + 1] and upper[after] in _COLUMNS:
        return _column(found, words, upper, after + 1)
    return StatementTarget(found, found)


def _column(table: str, words: list[str], upper: list[str], at: int) -> StatementTarget:
    named = at + (upper[at : at + 1] == ["COLUMN"])
    column, _ = _name(words, named)
    if not column or upper[named] in _NO_COLUMN:
        return StatementTarget(table, table)
    return StatementTarget(f"{table}.{column[0]}", table, (table, column[0]))


def _revoked(words: list[str], upper: list[str], state: PlanState) -> StatementTarget:
    if "ON" not in upper:
        return StatementTarget()
    at = upper.index("ON") + 1
    plain = upper[at : at + 1] and upper[at] in _KINDS
    name, _ = _name(words, at + bool(plain))
    if not name or upper[at] == "ALL":
        return StatementTarget()
    if plain and upper[at] in _IN_NO_SCHEMA:
        return StatementTarget(".".join(name))
    found = state.qualified(name)
    return StatementTarget(found, found)


def _name(words: list[str], at: int) -> tuple[list[str], int]:
    """The parts of the name at a place, and what comes after; nothing where there is none."""
    parts: list[str] = []
    while at < len(words) and (words[at][0] in '"_' or words[at][0].isalpha()):
        parts.append(words[at][1:-1].replace('""', '"') if words[at][0] == '"' else words[at].lower())
        at += 1
        if words[at : at + 1] != ["."]:
            break
        at += 1
    return parts, at
