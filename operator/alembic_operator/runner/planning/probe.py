"""What a statement did in the shadow: locks, rewrites, scans, drops and new relations, in one round trip.

What existed before the plan has a smaller oid than the probe's own function, which is made last: oids only grow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Callable

from ...contract.lock_modes import STRENGTH
from ...contract.plan import Dropped, Lock
from ..database.driver import RawConnection, rows
from ..database.session import VersionTable
from ..sql_files import sql_file

_FIRST_OF_USERS = 16384  # FirstNormalObjectId: what initdb made is below
_PG_CLASS = 1259  # the oid of pg_class itself
_TRUNCATE = re.compile(r"\bTRUNCATE\b", re.IGNORECASE)
_SETTING = "alembic_operator.drops"

_BOUND = "SELECT 'alembic_operator.note_drops'::pg_catalog.regproc::pg_catalog.oid::bigint"
_EXISTING = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, c.relkind::text, c.relfilenode::bigint, c.relnatts::int
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S') AND c.oid >= 16384 AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('alembic_operator', 'pg_catalog', 'information_schema', 'pg_toast')
   AND NOT (n.nspname = %s AND c.relname = %s)
"""
_AFTER = """
SELECT 'lock', l.relation::bigint, pg_catalog.array_agg(DISTINCT l.mode)::text[], NULL,
       (SELECT c.relfilenode::bigint FROM pg_catalog.pg_class c WHERE c.oid = l.relation),
       pg_catalog.pg_stat_get_xact_numscans(l.relation)::bigint
  FROM pg_catalog.pg_locks l
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
   AND l.relation BETWEEN {first} AND {bound} GROUP BY l.relation
UNION ALL
SELECT 'new', c.oid::bigint, ARRAY[c.relkind::text], n.nspname || '.' || c.relname, c.relnamespace::bigint, 0
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid > {newest} AND n.nspname NOT IN ('alembic_operator', 'pg_toast') AND c.relpersistence <> 't'
UNION ALL
SELECT 'drops', 0, NULL, NULLIF(pg_catalog.current_setting('alembic_operator.drops', true), ''), 0,
       (extract(epoch FROM pg_catalog.now()) * 1000000)::bigint
  FROM pg_catalog.pg_stat_force_next_flush()
"""
# Scans are counted until the session reports them, once a second: without this they look like the next transaction's.
_FLUSH = "SELECT pg_catalog.pg_stat_force_next_flush()"
_FORGET = "SELECT pg_catalog.set_config('alembic_operator.drops', '', false)"
_OUTSIDE = "SELECT oid::bigint, relfilenode::bigint FROM pg_catalog.pg_class WHERE oid = ANY(%s::oid[])"
_NEW_INDEXES = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, i.indrelid::bigint
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
 WHERE c.oid > %s::oid AND n.nspname NOT IN ('alembic_operator', 'pg_toast') AND c.relpersistence <> 't'
"""


@dataclass(frozen=True)
class Effects:
    """What one statement did to what existed before the plan, and which relations it made."""

    locks: list[Lock] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)


@dataclass
class _Known:
    """A relation that existed before the plan."""

    name: str
    kind: str
    filenode: int
    columns: int


class Probe:
    """Looks at the migrating session between its statements.

    Attributes:
        transaction: when the session's transaction began, in microseconds; another number is another transaction.
    """

    def __init__(
        self, connection: RawConnection, version_table: VersionTable, run: Callable[[str], list[tuple[Any, ...]]]
    ) -> None:
        """Begin: everything that is there now existed before the plan.

        Args:
            connection: another session of the shadow's superuser, for the beginning.
            version_table: the version table, which is not looked at.
            run: sends a statement on the migrating session, unheard.
        """
        rows(connection, sql_file(__package__, "note_drops.sql"))
        self._run = run
        self._bound: int = rows(connection, _BOUND)[0][0]
        found = rows(connection, _EXISTING, version_table.schema, version_table.table)
        self._known = {oid: _Known(name, kind, filenode, columns) for oid, name, kind, filenode, columns in found}
        self._newest = self._bound
        self._held: dict[int, set[str]] = {}
        self._scanned: dict[int, int] = {}
        self.transaction = 0

    @property
    def names(self) -> dict[str, str]:
        """Kind of each relation that existed before the plan, by name."""
        return {known.name: known.kind for known in self._known.values()}

    def after(self, sql: str, first: str = "") -> Effects:
        """What has happened since the last look, in the open transaction.

        Args:
            sql: the statement.
            first: what else to send in the same round trip, before.
        """
        query = _AFTER.format(first=_FIRST_OF_USERS, bound=self._bound, newest=self._newest)
        found = self._run(f"{first}; {query}" if first else query)
        transaction, dropped = next((row[5], row[3]) for row in found if row[0] == "drops")
        if transaction != self.transaction:
            self.transaction, self._held, self._scanned = transaction, {}, {}
        seen = [row for row in found if row[0] == "lock" and row[1] in self._known]
        rewrites = [] if _TRUNCATE.search(sql) else [row[1] for row in seen if self._rewritten(row[1], row[4])]
        for row in seen:
            if row[4]:
                self._known[row[1]].filenode = row[4]
        scans = [row[1] for row in seen if row[5] > self._scanned.get(row[1], 0) and row[1] not in rewrites]
        locks = self._locks(seen, {*rewrites, *scans})
        self._scanned = {row[1]: row[5] for row in seen}
        self._held = {row[1]: set(row[2]) for row in seen}
        return Effects(
            locks=locks,
            rewrites=self._sorted(rewrites),
            scans=self._sorted(scans),
            drops=self._drops(dropped),
            objects=self._made((row[1], row[3]) for row in found if row[0] == "new"),
        )

    def after_outside(self) -> Effects:
        """The same after a statement that no transaction may hold: its locks follow from its effects."""
        ids = "{" + ",".join(map(str, self._known)) + "}"
        found = self._run(_OUTSIDE.replace("%s", f"'{ids}'"))
        rewrites = [oid for oid, filenode in found if self._rewritten(oid, filenode)]
        for oid, filenode in found:
            self._known[oid].filenode = filenode
        new = self._run(_NEW_INDEXES.replace("%s", str(self._newest)))
        built = sorted({table for _, _, table in new if table in self._known})
        locks = [Lock(self._known[oid].name, "AccessExclusiveLock") for oid in rewrites]
        locks += [Lock(self._known[oid].name, "ShareUpdateExclusiveLock") for oid in built if oid not in rewrites]
        dropped = self._run(f"SELECT NULLIF(pg_catalog.current_setting('{_SETTING}', true), '')")[0][0]
        self._held, self._scanned = {}, {}
        self._run(_FLUSH)
        return Effects(
            locks=locks,
            rewrites=self._sorted(rewrites),
            scans=self._sorted(oid for oid in built if oid not in rewrites),
            drops=self._drops(dropped),
            objects=self._made((oid, name) for oid, name, _ in new),
        )

    def _rewritten(self, oid: int, filenode: int | None) -> bool:
        known = self._known[oid]
        return bool(filenode) and known.kind in ("r", "m") and filenode != known.filenode

    def _locks(self, seen: list[tuple[Any, ...]], named: set[int]) -> list[Lock]:
        """The strongest of each relation: where it is new, or the relation was read or written whole."""
        locks = []
        for _, oid, modes, *_ in seen:
            strongest = max(modes, key=STRENGTH.index)
            if strongest not in self._held.get(oid, set()) or oid in named:
                locks.append(Lock(self._known[oid].name, strongest))
        return sorted(locks, key=lambda lock: (-STRENGTH.index(lock.mode), lock.relation))

    def _drops(self, text: str | None) -> list[Dropped]:
        if not text:
            return []
        self._run(_FORGET)
        found = []
        for class_id, oid, column, kind, identity in json.loads(text):
            known = self._known.get(oid) if class_id == _PG_CLASS else None
            if oid < self._bound and not (known is not None and column > known.columns):
                found.append(Dropped(kind, identity))
        return found

    def _made(self, new: Iterable[tuple[int, str]]) -> list[str]:
        made = sorted(new)
        if made:
            self._newest = max(self._newest, made[-1][0])
        return [name for _, name in made]

    def _sorted(self, oids: Iterable[int]) -> list[str]:
        return sorted(self._known[oid].name for oid in oids)
