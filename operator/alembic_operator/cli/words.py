"""The runner speaks of the spec, the Secret and the image; here they are options and a directory."""

from __future__ import annotations

_SAID = (
    ('Secret "--database-url"', "--database-url"),
    ('Secret "--shadow-url"', "--shadow-url"),
    ("Correct the Secret; the next run reads it again.", "Correct it."),
    ("spec.revision", "--to"),
    ("spec.migrations.path", "--project"),
    ("spec.migrations.configFile", "--config"),
    ("spec.database.role", "--role"),
    ("spec.searchPath", "--search-path"),
    ("spec.baseline", "--baseline"),
    ("spec.allowDowngrade", "--allow-downgrade"),
    (" of the image", " of the project"),
    (" in the image", " in the project"),
    ("an image that has it", "a project that has it"),
    (", and build a new image", ""),
    ("log of the Job's pod", "output above"),
)


def in_words_of_the_tool(message: str) -> str:
    """The same message, with the names that its reader gave."""
    for theirs, ours in _SAID:
        message = message.replace(theirs, ours)
    return message
