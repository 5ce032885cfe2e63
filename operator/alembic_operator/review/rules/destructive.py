"""What takes data away, or takes a name away that running programs use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...core.findings import Finding, Severity
from ..ast import inner, names, walk, word
from ..scene import Part, Scene, commands, definition

RULE = "destructive"
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_LOST = {
    "table": "all its rows are gone",
    "foreign table": "programs that read it fail",
    "table column": "its values are gone, and programs that name it fail",
    "composite type attribute": "its values are gone",
    "schema": "everything in it is gone",
    "type": "columns and programs that use it fail",
    "domain": "columns and programs that use it fail",
    "view": "programs that read it fail",
    "materialized view": "programs that read it fail",
    "sequence": "programs that take numbers from it fail",
    "extension": "everything that it provides is gone",
    "foreign-data wrapper": "its servers and foreign tables are gone",
    "server": "its foreign tables are gone",
}
_LESSER = {
    "function": "programs and triggers that call it fail",
    "procedure": "programs that call it fail",
    "aggregate": "programs that call it fail",
    "trigger": "what it did to written rows is not done any more",
    "rule": "what it did is not done any more",
    "policy": "who may see which rows changes at once",
}
_FIX = (
    "First release programs that do not use it any more, then drop it in a later revision, and write a waiver that "
    "says so beside that revision (docs/waivers.md)."
)
_FIX_RENAME = (
    "Add the new name beside the old one (a column that both versions write, or a view with the old name in the same "
    "revision), move the programs over, and drop the old one in a later revision."
)
_OBJECTS = {
    "OBJECT_TABLE": "table",
    "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_EXTENSION": "extension",
    "OBJECT_FDW": "foreign-data wrapper",
    "OBJECT_FOREIGN_SERVER": "server",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_ROUTINE": "function",
    "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_TRIGGER": "trigger",
    "OBJECT_RULE": "rule",
    "OBJECT_POLICY": "policy",
    "OBJECT_ATTRIBUTE": "composite type attribute",
    "OBJECT_COLUMN": "table column",
}
_RENAMED = frozenset(
    {"table", "foreign table", "schema", "type", "domain", "view", "materialized view", "table column"}
    | {"composite type attribute"}
)
_KEY = re.compile(r"(?:^|_)pk(?:ey)?(?:_|$)", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_DYNAMIC = (
    (re.compile(r"\bTRUNCATE\b", re.I), "truncates a table"),
    (re.compile(r"\bRENAME\s+(?:TO|COLUMN|VALUE)\b", re.I), "renames something"),
    (re.compile(r"\bDISABLE\s+(?:TRIGGER|RULE|ROW)\b", re.I), "switches off triggers or row level security"),
)
_DYNAMIC_DROP = re.compile(
    r"\bDROP\s+(?:TABLE|COLUMN|SCHEMA|TYPE|DOMAIN|VIEW|MATERIALIZED\s+VIEW|EXTENSION|SEQUENCE|OWNED)\b", re.I
)
_DYNAMIC_DELETE = re.compile(r"\bDELETE\s+FROM\s+[\w.\"%]+\s*(?:;|'|$|\$)", re.I)


def dropped(part: Part, scene: Scene) -> Iterator[Finding]:
    """What PostgreSQL says was dropped; whatever way the statement took to it."""
    if not part.probed:
        return
    for one in part.sent.drops:
        name = _plain(one.identity)
        if _again(part, scene, name) or not scene.existing(name) or name.startswith("_RETURN on "):
            continue
        yield from _drop(part, one.type, name)
        if one.type == "table constraint":
            yield from _constraint(part, scene, name)


def _constraint(part: Part, scene: Scene, name: str) -> Iterator[Finding]:
    table = name.partition(" on ")[2]
    if _keys_gone(part, scene, name):
        yield _primary_key(part, name)
    elif part.kind == "alter_table_stmt" and part.probed and scene.name(part.node.relation) != table:
        message = f"It drops the constraint {name} with another table's key: rows of {table} are not checked any more."
        fix = "Leave CASCADE out, and drop each constraint by its own name."
        yield part.finding(RULE, _ERROR, name, message, fix)


def drop_statements(part: Part, scene: Scene) -> Iterator[Finding]:
    """DROP, by its text, where nothing was seen of it."""
    if part.probed or part.kind not in ("drop_stmt", "alter_table_stmt"):
        return
    if part.kind == "alter_table_stmt":
        yield from _dropped_columns(part, scene)
        return
    kind = _OBJECTS.get(word(part.node, "remove_type"), "")
    for item in part.node.objects:
        name = _dropped_name(item, kind, scene)
        if kind and scene.existing(name) and not _again(part, scene, name):
            yield from _drop(part, kind, name)


def _dropped_name(item: object, kind: str, scene: Scene) -> str:
    found, node = inner(item)
    if found == "list":
        parts = names(node.items)
    elif found in ("type_name", "object_with_args"):
        parts = names(node.names if found == "type_name" else node.objname)
    else:
        parts = names([item])
    if kind in ("schema", "extension", "server", "foreign-data wrapper"):
        return ".".join(parts)
    if kind in ("trigger", "rule", "policy") and len(parts) > 1:
        return f"{parts[-1]} on {scene.qualified(parts[:-1])}"
    return scene.qualified(parts)


def _dropped_columns(part: Part, scene: Scene) -> Iterator[Finding]:
    table = scene.name(part.node.relation)
    for kind, command in commands(part):
        if kind == "AT_DropColumn" and scene.existing(table) and (table, command.name) not in scene.columns:
            yield from _drop(part, "table column", f"{table}.{command.name}")
        elif kind == "AT_DropConstraint" and scene.existing(table):
            yield from _constraint(part, scene, f"{command.name} on {table}")


def _drop(part: Part, kind: str, name: str) -> Iterator[Finding]:
    if kind in _LOST:
        yield part.finding(RULE, _ERROR, name, f"It drops the {_said(kind)} {name}: {_LOST[kind]}.", _FIX)
    elif kind in _LESSER:
        yield part.finding(RULE, _WARNING, name, f"It drops the {kind} {name}: {_LESSER[kind]}.", _FIX)


def _said(kind: str) -> str:
    return {"table column": "column", "composite type attribute": "attribute"}.get(kind, kind)


def _keys_gone(part: Part, scene: Scene, name: str) -> bool:
    """Whether it drops what is named like a primary key, and nothing takes its place."""
    constraint, _, table = name.partition(" on ")
    if not _KEY.search(constraint):
        return False
    known = scene.tables.get(table)
    return not known.primary_key if known is not None else "PRIMARY KEY" not in part.tree.text.upper()


def _primary_key(part: Part, name: str) -> Finding:
    return part.finding(
        RULE,
        _ERROR,
        name,
        f"It drops the primary key {name}: rows may be doubled, and replication and programs may fail.",
        "Build the new key's index CONCURRENTLY, then drop the old key and add the new one USING INDEX in one "
        "ALTER TABLE.",
    )


def _plain(identity: str) -> str:
    """The name without the quotes that PostgreSQL's identities have."""
    return _QUOTED.sub(lambda match: match.group(1).replace('""', '"'), identity)


def _again(part: Part, scene: Scene, name: str) -> bool:
    """Whether the step makes something of this name again later: a view or function that is replaced."""
    for one in scene.later(part):
        if one.node is None:
            continue
        if one.kind == "view_stmt" and scene.name(one.node.view) == name:
            return True
        if one.kind == "create_table_as_stmt" and scene.name(one.node.into.rel) == name:
            return True
        if one.kind == "create_function_stmt" and scene.qualified(names(one.node.funcname)) == name.partition("(")[0]:
            return True
        if one.kind == "create_trig_stmt" and f"{one.node.trigname} on {scene.name(one.node.relation)}" == name:
            return True
        if one.kind == "create_policy_stmt" and f"{one.node.policy_name} on {scene.name(one.node.table)}" == name:
            return True
    return False


def renamed(part: Part, scene: Scene) -> Iterator[Finding]:
    """RENAME, and SET SCHEMA: programs that run do not know the new name."""
    if part.kind == "rename_stmt":
        yield from _renamed(part, scene)
    elif part.kind == "alter_object_schema_stmt":
        node = part.node
        kind = _OBJECTS.get(word(node, "object_type"), "")
        name = scene.name(node.relation) if node.relation.relname else _object_name(node.object, scene)
        if kind in _RENAMED and scene.existing(name):
            message = (
                f"It moves the {_said(kind)} {name} to the schema {node.newschema}: programs that run look for it "
                "where it was."
            )
            yield part.finding(RULE, _ERROR, name, message, _FIX_RENAME)
    elif part.kind == "alter_enum_stmt" and part.node.old_val:
        name = scene.qualified(names(part.node.type_name))
        if scene.existing(name):
            message = f"It renames the value '{part.node.old_val}' of {name}: programs that write it fail at once."
            fix = "Add the new value, move the rows over in batches, and leave the old value in the type."
            yield part.finding(RULE, _ERROR, name, message, fix)


def _object_name(item: object, scene: Scene) -> str:
    kind, node = inner(item)
    if kind == "list":
        return scene.qualified(names(node.items))
    if kind == "type_name":
        return scene.qualified(names(node.names))
    if kind == "object_with_args":
        return scene.qualified(names(node.objname))
    return ".".join(names([item]))


def _renamed(part: Part, scene: Scene) -> Iterator[Finding]:
    node = part.node
    kind = _OBJECTS.get(word(node, "rename_type"), "")
    if kind in ("table column", "composite type attribute"):
        table = scene.name(node.relation)
        if not scene.existing(table) or (table, node.subname) in scene.columns:
            return
        name = f"{table}.{node.subname}"
    elif kind == "schema":
        name = node.subname
    elif node.relation.relname:
        name = scene.name(node.relation)
    else:
        name = _object_name(node.object, scene)
    if kind not in _RENAMED or not scene.existing(name):
        return
    stands_in = any(
        one.kind == "view_stmt" and scene.name(one.node.view) == name
        for one in scene.later(part)
        if one.node is not None
    )
    severity = _WARNING if stands_in else _ERROR
    message = (
        f"It renames the {_said(kind)} {name} to {node.newname}: programs that run use the old name, and fail at once."
    )
    yield part.finding(RULE, severity, name, message, _FIX_RENAME)


def rows_gone(part: Part, scene: Scene) -> Iterator[Finding]:
    """TRUNCATE, and DELETE of every row."""
    if part.kind == "truncate_stmt":
        for item in part.node.relations:
            name = scene.name(inner(item)[1])
            if scene.existing(name):
                message = (
                    f"It empties {name} ({scene.size(name)}) under an ACCESS EXCLUSIVE lock: all its rows are gone."
                )
                yield part.finding(RULE, _ERROR, name, message, "Delete what is not needed in batches, by its key.")
    if part.node is None or part.kind == "do_stmt":
        return
    for kind, node in [(part.kind, part.node), *walk(part.node)]:
        if kind != "delete_stmt" or not every_row(node):
            continue
        name = scene.name(node.relation)
        if scene.existing(name):
            message = f"It deletes every row of {name} ({scene.size(name)}): there is no WHERE that leaves any."
            fix = "Name the rows in WHERE, and delete them in batches (delete_in_batches of alembic_operator_helpers)."
            yield part.finding(RULE, _ERROR, name, message, fix)


def every_row(node: object) -> bool:
    """Whether an UPDATE or DELETE has no condition, or one that is always true."""
    kind, _ = inner(node.where_clause)  # type: ignore[attr-defined]
    return not kind or _true(node.where_clause)  # type: ignore[attr-defined]


def _true(test: object) -> bool:
    """Whether a condition holds whatever the row is."""
    kind, condition = inner(test)
    if kind == "a_const":
        return bool(condition.boolval.boolval)
    if kind == "bool_expr":
        every = all if word(condition, "boolop") == "AND_EXPR" else any
        return word(condition, "boolop") != "NOT_EXPR" and every(map(_true, condition.args))
    if kind == "a_expr" and names(condition.name) == ["="]:
        left, right = inner(condition.lexpr), inner(condition.rexpr)
        return left[0] == right[0] == "a_const" and left[1].ival.ival == right[1].ival.ival
    return False


def switched_off(part: Part, scene: Scene) -> Iterator[Finding]:
    """Triggers, rules and row level security that stop to guard the rows."""
    if part.kind != "alter_table_stmt":
        return
    table = scene.name(part.node.relation)
    if not scene.existing(table):
        return
    for kind, command in commands(part):
        if kind.startswith("AT_DisableTrig") or kind == "AT_DisableRule":
            what = f"the trigger {command.name}" if command.name else "triggers"
            message = (
                f"It switches off {what} of {table}: until they are on again, rows of every session go in unchecked."
            )
            fix = "Leave them on; a revision that must not fire them can say so in the trigger's WHEN or by a setting."
            yield part.finding(RULE, _ERROR, table, message, fix)
        elif kind == "AT_DisableRowSecurity":
            message = f"It switches off row level security of {table}: every role sees every row at once."
            yield part.finding(RULE, _ERROR, table, message, "Change the policies instead, and leave it on.")
        elif kind == "AT_EnableRowSecurity" and not _has_policy(part, scene, table):
            message = (
                f"It switches on row level security of {table}, and makes no policy: roles that do not own it see no "
                "row."
            )
            yield part.finding(RULE, _WARNING, table, message, "Create the policies in the same revision, before.")
        elif kind == "AT_DetachPartition" and not definition(command).concurrent:
            message = f"It detaches a partition: queries of {table} do not see its rows any more."
            yield part.finding(RULE, _ERROR, table, message, "DETACH PARTITION … CONCURRENTLY in an autocommit block.")
        elif kind == "AT_DropInherit":
            message = f"It takes {table} from its parent: queries of the parent do not see its rows any more."
            yield part.finding(
                RULE, _ERROR, table, message, "First release programs that read the rows where they are."
            )


def _has_policy(part: Part, scene: Scene, table: str) -> bool:
    return any(
        one.kind == "create_policy_stmt" and scene.name(one.node.table) == table
        for one in scene.parts
        if one.node is not None
    )


def catalogs(part: Part, scene: Scene) -> Iterator[Finding]:
    """Writing into PostgreSQL's own tables, and the setting that fires no trigger and checks no foreign key."""
    if part.kind in ("insert_stmt", "update_stmt", "delete_stmt") and part.node is not None:
        relation = part.node.relation
        if relation.schemaname == "pg_catalog" or (not relation.schemaname and relation.relname.startswith("pg_")):
            message = f"It writes into PostgreSQL's own table {relation.relname}: damage there cannot be repaired."
            yield part.finding(RULE, _ERROR, relation.relname, message, "Use the command that PostgreSQL has for it.")
    elif part.kind == "variable_set_stmt" and part.node.name == "session_replication_role" and part.node.args:
        value = inner(part.node.args[0])[1].sval.sval
        if value != "origin":
            message = "With session_replication_role no trigger fires and no foreign key is checked."
            yield part.finding(RULE, _ERROR, "", message, "Leave the setting as it is.")


def whole_server(part: Part, scene: Scene) -> Iterator[Finding]:
    """What reaches beyond the schema: databases, the server's settings, what a role owns, rights."""
    if part.kind == "dropdb_stmt":
        name = part.node.dbname
        yield part.finding(
            RULE, _ERROR, name, f"It drops the database {name}.", "A revision changes its own schema only."
        )
    elif part.kind in ("alter_system_stmt", "alter_database_stmt", "alter_database_set_stmt"):
        message = "It changes settings of the database or server: they outlive the revision, and concern everybody."
        severity = _ERROR if part.kind == "alter_system_stmt" else _WARNING
        yield part.finding(RULE, severity, "", message, "Settings belong to who runs the server; use SET LOCAL here.")
    elif part.kind in ("drop_owned_stmt", "drop_role_stmt"):
        yield part.finding(RULE, _ERROR, "", "It drops roles, or what they own.", "Leave roles to who runs the server.")
    elif part.kind == "grant_stmt" and not part.node.is_grant and word(part.node, "targtype") == "ACL_TARGET_OBJECT":
        objects = [scene.name(node) for kind, node in map(inner, part.node.objects) if kind == "range_var"]
        if not objects or any(map(scene.existing, objects)):
            message = "It takes rights away: programs that need them fail at once."
            fix = "See that no program uses the rights any more, then write a waiver."
            yield part.finding(RULE, _WARNING, ", ".join(objects), message, fix)


def in_code(part: Part, scene: Scene) -> Iterator[Finding]:
    """What a DO block may do; drops are seen where it ran."""
    if part.kind != "do_stmt":
        return
    text = part.tree.text
    found = [what for pattern, what in _DYNAMIC if pattern.search(text)]
    if _DYNAMIC_DELETE.search(text):
        found.append("deletes every row of a table")
    if not part.probed and _DYNAMIC_DROP.search(text):
        found.append("drops something")
    for what in found:
        message = f"Its DO block {what}."
        yield part.finding(RULE, _ERROR, "", message, "Write the statement itself, so that it can be reviewed.")


def unreadable(part: Part, scene: Scene) -> Iterator[Finding]:
    """What the parser cannot read may do anything."""
    if part.kind or not part.tree.text.strip():
        return
    found = "is too long to be read" if part.tree.large else "cannot be read"
    severity = _WARNING if part.probed else _ERROR
    seen = "what was seen of it in the shadow counts alone" if part.probed else "it may do anything"
    message = f"Statement {part.number} {found}: {seen}."
    yield part.finding(RULE, severity, "", message, "Write it as plain SQL of PostgreSQL, in shorter statements.")


RULES = (dropped, drop_statements, renamed, rows_gone, switched_off, catalogs, whole_server, in_code, unreadable)
