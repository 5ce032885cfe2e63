"""Settings that an engine gives its connections when they start, as the statements that give them to one that runs.

`connect_args={"options": "-c search_path=app"}`, a URL that ends in `?options=…`, and asyncpg's `server_settings`: a
session that is lent has started long before, and without them the tables would be made in another schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..database.search_path import names_in, setting_of

_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
_OURS = frozenset({"application_name", "client_encoding"})  # whose session it is; what the driver reads
# Words apart at white space that no backslash precedes, as pg_split_opts in PostgreSQL's postinit.c has them.
_WORD = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def startup_statements(parameters: Mapping[str, Any]) -> list[str]:
    """One SET for each setting, in order.

    Args:
        parameters: of an engine's connection.
    """
    settings = [*_of_options(str(parameters.get("options") or ""))]
    of_asyncpg = parameters.get("server_settings")
    if isinstance(of_asyncpg, Mapping):
        settings += [(str(name), str(value)) for name, value in of_asyncpg.items()]
    return [
        f"SET {name.lower()} TO {_value(name.lower(), value)}"
        for name, value in settings
        if _NAME.fullmatch(name.lower()) and name.lower() not in _OURS
    ]


def _of_options(options: str) -> Iterator[tuple[str, str]]:
    words = iter([_ESCAPED.sub(r"\1", word) for word in _WORD.findall(options)])
    for word in words:
        if word.startswith("--"):
            setting = word[2:]
        elif word.startswith("-c"):
            setting = word[2:] or next(words, "")
        else:
            continue  # endpoint=… of a proxy, or a switch of the server's own
        name, equals, value = setting.partition("=")
        if equals:
            yield name.replace("-", "_"), value


def _value(name: str, value: str) -> str:
    if name == "search_path":
        names = setting_of(tuple(names_in(value, "$user")))
        return names or value.replace('""', "").strip() or "''"  # what cannot be read is PostgreSQL's to refuse
    return "'" + value.replace("'", "''") + "'"
