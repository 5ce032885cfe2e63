"""A session's search path as PostgreSQL resolves it: what the setting says, and what of it is there. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

# More makes neither a status nor a termination message burst, and is found in no database that one history is for.
MOST_SCHEMAS = 16
_TEMPORARY = "pg_temp"
OWN = "$user"  # PostgreSQL's word for the schema that is named as the role
# As SplitIdentifierString in PostgreSQL's varlena.c reads it.
_NAME = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^\s,"][^\s,]*))\s*(?:,|$)')


@dataclass(frozen=True)
class SearchPath:
    """The schemas of a session, in order, with "$user" replaced by the role's name.

    Attributes:
        schemas: those that PostgreSQL looks into, and those that it skips because they do not exist: a revision may
            make them.
        missing: those that do not exist.
        denied: schemas of the setting that are left out of `schemas`, since the role has no USAGE on them.
        role: whose name stands for "$user".
    """

    schemas: tuple[str, ...]
    missing: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    role: str = ""

    @property
    def existing(self) -> list[str]:
        """The schemas that PostgreSQL looks into; new objects go to the first."""
        return [schema for schema in self.schemas if schema not in self.missing and schema != _TEMPORARY]

    @property
    def told(self) -> list[str]:
        """The schemas as status and plan have them: the role's own is "$user" where it does not exist.

        It has another name for the role of the review credentials, and would be a difference where there is none.
        """
        return [self._told(schema) for schema in self.schemas]

    @property
    def told_missing(self) -> list[str]:
        """Those of `told` that do not exist."""
        return [self._told(schema) for schema in self.missing]

    def _told(self, schema: str) -> str:
        return OWN if schema == self.role and schema in self.missing else schema

    def with_made(self, schemas: Collection[str]) -> SearchPath:
        """The same once these schemas are made."""
        return replace(self, missing=tuple(schema for schema in self.missing if schema not in schemas))

    @property
    def temporary_first(self) -> bool:
        """Whether new objects would be temporary: gone with the session."""
        found = [schema for schema in self.schemas if schema not in self.missing]
        return found[:1] == [_TEMPORARY]

    def warnings(self) -> list[str]:
        """One sentence for each schema that PostgreSQL skips, but for that of "$user", which is often not there."""
        skipped = [
            f'The search path of role "{self.role}" names schema "{schema}", which does not exist; PostgreSQL skips it.'
            for schema in self.missing
            if schema != self.role
        ]
        skipped += [
            f'The search path names schema "{schema}", on which role "{self.role}" has no USAGE; PostgreSQL skips it.'
            for schema in self.denied
        ]
        return skipped


def names_in(setting: str, role: str) -> list[str]:
    """The schemas that a value of search_path names, each once; "$user" is the role."""
    names, at = [], 0
    while at < len(setting):
        found = _NAME.match(setting, at)
        if found is None or found.end() == at:
            break
        quoted, plain = found["quoted"], found["plain"]
        name = quoted.replace('""', '"') if quoted is not None else plain.lower()
        names.append(role if name == OWN else name)
        at = found.end()
    return list(dict.fromkeys(name for name in names if name))


def resolved(names: list[str], usage: Mapping[str, bool], role: str, *, pinned: bool) -> SearchPath:
    """What a session with these names looks into.

    Args:
        names: of schemas, in order.
        usage: of those that exist: whether the session's role has USAGE.
        role: of the session.
        pinned: the names are those of another role, or of the spec; what this role may use does not count.
    """
    denied = () if pinned else tuple(name for name in names if not usage.get(name, True))
    schemas = tuple(name for name in names if name not in denied)
    missing = tuple(name for name in schemas if name not in usage and name != _TEMPORARY)
    return SearchPath(schemas, missing, denied, role)


def setting_of(schemas: tuple[str, ...]) -> str:
    """The value of search_path that names these schemas."""
    return ", ".join('"' + schema.replace('"', '""') + '"' for schema in schemas)
