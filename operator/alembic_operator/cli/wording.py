"""The runner speaks of the spec, the Secret and the image; here they are options and a directory."""

from __future__ import annotations

# The longer ones first.
_SAID = (
    (
        "set spec.baseline to {revisions: []}; if the schema is at a revision, name it in spec.baseline.",
        'give --baseline ""; if the schema is at a revision, name it: --baseline REV.',
    ),
    ('the database that Secret "--database-url" names', "the database of --database-url"),
    ('the user of Secret "--database-url"', "the user of --database-url"),
    ('Secret "--database-url"', "--database-url"),
    ('Secret "--shadow-url"', "--shadow-url"),
    ("Correct the Secret; the next run reads it again.", "Correct it."),
    ("the Secret's user", "the user of --database-url"),
    ("spec.revisions", "--to"),
    ("spec.revision", "--to"),
    ("spec.migrations.versionTable.schema", "--version-table-schema"),
    ("spec.migrations.versionTable", "--version-table"),
    ("spec.database.searchPath", "--search-path"),
    ("spec.migrations.path", "--project"),
    ("spec.migrations.section", "--section"),
    ("spec.migrations.x", "-x"),
    ("spec.migrations.configFile", "--config"),
    ("spec.database.role", "--role"),
    ("spec.baseline", "--baseline"),
    ("spec.allowDowngrade", "--allow-downgrade"),
    (" of the image", " of the project"),
    (" in the image", " in the project"),
    ("no migration file of this image declares it", "no migration file of this project declares it"),
    ("an image that has", "a project that has"),
    (", and build a new image", ""),
    (" to the image's requirements", " to the project's environment"),
    ("log of the Job's pod", "output above"),
    (", or check the cluster's DNS", ", or check the DNS"),
    ("the image's libpq", "the libpq of the driver"),
    (
        "the module alembic_operator_helpers is missing.",
        "the module alembic_operator_helpers is missing: pip install alembic-operator-helpers beside the project.",
    ),
    ("the Secret", "--database-url"),
)


def in_words_of_the_tool(message: str) -> str:
    """The same message, with the names that its reader gave."""
    for theirs, ours in _SAID:
        message = message.replace(theirs, ours)
    return message
