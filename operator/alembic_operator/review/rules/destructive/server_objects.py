"""What reaches beyond the schema's own tables: PostgreSQL's catalog, settings, databases, roles and rights."""

from __future__ import annotations

from collections.abc import Iterator

from ....core.model.findings import Finding, Severity
from ...ast import inner, word
from ...plan_state import Part, PlanState
from .object_kinds import RULE


def catalogs(part: Part, state: PlanState) -> Iterator[Finding]:
    """Writing into PostgreSQL's own tables, and the setting that fires no trigger and checks no foreign key."""
    if part.kind in ("insert_stmt", "update_stmt", "delete_stmt") and part.node is not None:
        relation = part.node.relation
        if relation.schemaname == "pg_catalog" or (not relation.schemaname and relation.relname.startswith("pg_")):
            message = f"It writes to PostgreSQL's catalog table {relation.relname}: damage there cannot be repaired."
            yield part.finding(RULE, Severity.ERROR, relation.relname, message, "Use PostgreSQL's command for it.")
    elif part.kind == "variable_set_stmt" and part.node.name == "session_replication_role" and part.node.args:
        value = inner(part.node.args[0])[1].sval.sval
        if value != "origin":
            message = "With session_replication_role no trigger fires and no foreign key is checked."
            yield part.finding(RULE, Severity.ERROR, "", message, "Leave the setting as it is.")


def whole_server(part: Part, state: PlanState) -> Iterator[Finding]:
    """What reaches beyond the schema: databases, the server's settings, what a role owns, rights."""
    if part.kind == "dropdb_stmt":
        name = part.node.dbname
        yield part.finding(
            RULE, Severity.ERROR, name, f"It drops the database {name}.", "A revision changes its own schema only."
        )
    elif part.kind in ("alter_system_stmt", "alter_database_stmt", "alter_database_set_stmt"):
        message = "It changes settings of the database or server: they outlive the revision, and affect all sessions."
        severity = Severity.ERROR if part.kind == "alter_system_stmt" else Severity.WARNING
        yield part.finding(
            RULE, severity, "", message, "Leave such settings to the server's administrator; use SET LOCAL here."
        )
    elif part.kind in ("drop_owned_stmt", "drop_role_stmt"):
        yield part.finding(
            RULE, Severity.ERROR, "", "It drops roles, or what they own.", "Leave roles to the server's administrator."
        )
    elif part.kind == "grant_stmt" and not part.node.is_grant and word(part.node, "targtype") == "ACL_TARGET_OBJECT":
        objects = [state.name(node) for kind, node in map(inner, part.node.objects) if kind == "range_var"]
        if not objects or any(map(state.existing, objects)):
            message = "It revokes privileges: applications that need them fail at once."
            fix = "Check that no application uses the privileges, then write a waiver."
            yield part.finding(RULE, Severity.WARNING, ", ".join(objects), message, fix)


RULES = (catalogs, whole_server)
