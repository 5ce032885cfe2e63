"""What `SET LOCAL` has set, carried over the commits that plain Alembic does not make.

Alembic runs all revisions in one transaction unless env.py asks for one each; the runner commits each of them, and what
env.py has sent before. `SET LOCAL ROLE owner` or `SET LOCAL search_path` of env.py would end with the first commit: the
tables would be another role's, or in another schema, than plain Alembic's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ..database.driver import IDLE, Driver, give_settings, rows
from .lending import Loan

# The transaction's own characteristics are set before its first query, or not at all.
_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE context IN ('user', 'superuser') AND name !~ '^transaction_'
UNION ALL SELECT n, pg_catalog.current_setting(n) FROM (VALUES ('role'), ('session_authorization')) AS s (n)
"""
# The view leaves out settings that no extension has declared (`app.tenant`): they are read by their names.
_CUSTOM = "UNION ALL SELECT n, pg_catalog.current_setting(n, true) FROM pg_catalog.unnest(%s::text[]) AS c (n)"
# Looked for in a revision's file: to read all settings twice a revision would cost more than most revisions.
_MAY_SET = re.compile(r"\bLOCAL\b|\bset_config\b", re.IGNORECASE)
_NAME = re.compile(r"\b[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*)+\b", re.IGNORECASE)


class LocalSettings:
    """Settings of the transaction that plain Alembic would still be in.

    Attributes:
        values: by name.
    """

    def __init__(self, driver: Driver, loan: Loan) -> None:
        self.values: dict[str, str] = {}
        self._driver, self._loan = driver, loan
        self._before: dict[str, str] | None = None
        self._names: set[str] = set()  # of settings that may have been set

    @contextmanager
    def hearing(self, env: Path) -> Iterator[None]:
        """While this lasts, names of settings are looked for in what is sent; and in env.py, for a driver's cursors."""
        self._look_for_names(env.read_text("utf-8", "replace"))
        event.listen(Engine, "before_cursor_execute", self._hear)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", self._hear)

    def _hear(
        self,
        _connection: Any,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        _many: bool,
    ) -> None:
        if _MAY_SET.search(statement):
            self._look_for_names(f"{statement} {parameters}")

    def _look_for_names(self, text: str) -> None:
        self._names.update(name.lower() for name in _NAME.findall(text))

    def commit(self) -> None:
        """Commit what env.py has sent, and keep what was set for its transaction alone."""
        raw: Any = self._loan.raw
        with self._loan.quiet():
            before = None if raw.autocommit or self._driver.transaction(raw) == IDLE else self._read()
            raw.commit()
        self._compare(before)

    @contextmanager
    def in_step(self, file: Path) -> Iterator[None]:
        """Around the code of a revision: it begins with them, and may set others."""
        raw: Any = self._loan.raw
        if self.values and not raw.autocommit:
            with self._loan.quiet():
                give_settings(raw, self.values, local=True)
        yield
        text = file.read_text("utf-8", "replace")
        may_set = _MAY_SET.search(text)
        if may_set:
            self._look_for_names(text)
        if (self.values or may_set) and not raw.autocommit:
            with self._loan.quiet():
                self._before = self._read()

    def committed(self) -> None:
        """The revision is committed."""
        self._compare(self._before)

    def _compare(self, before: dict[str, str] | None) -> None:
        self._before, self.values = None, {}
        if before is None:
            return
        raw: Any = self._loan.raw
        with self._loan.quiet():
            after = self._read()
            raw.commit()
        self.values = {name: value for name, value in before.items() if after.get(name) != value}

    def _read(self) -> dict[str, str]:
        found = rows(self._loan.raw, f"{_SETTINGS} {_CUSTOM}", sorted(self._names))
        return {str(name): str(value) for name, value in found if value is not None}


def carried(migrate: Callable[..., Any], settings: LocalSettings, file: Path) -> Callable[..., None]:
    """The function of a step, with the settings."""

    def migrated(**arguments: Any) -> None:
        with settings.in_step(file):
            migrate(**arguments)

    return migrated
