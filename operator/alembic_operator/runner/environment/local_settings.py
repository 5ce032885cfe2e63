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

from ..database.driver import IDLE, Driver, give_settings, rows
from .lending import Loan

# The transaction's own characteristics are set before its first query, or not at all.
_SETTINGS = """
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE context IN ('user', 'superuser') AND name !~ '^transaction_'
UNION ALL SELECT n, pg_catalog.current_setting(n) FROM (VALUES ('role'), ('session_authorization')) AS s (n)
"""
# Looked for in a revision's file: to read all settings twice a revision would cost more than most revisions.
_MAY_SET = re.compile(r"\bLOCAL\b|\bset_config\b", re.IGNORECASE)


class LocalSettings:
    """Settings of the transaction that plain Alembic would still be in.

    Attributes:
        values: by name.
    """

    def __init__(self, driver: Driver, loan: Loan) -> None:
        self.values: dict[str, str] = {}
        self._driver, self._loan = driver, loan
        self._before: dict[str, str] | None = None

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
        if (self.values or _MAY_SET.search(file.read_text("utf-8", "replace"))) and not raw.autocommit:
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
        return {str(name): str(value) for name, value in rows(self._loan.raw, _SETTINGS)}


def carried(migrate: Callable[..., Any], settings: LocalSettings, file: Path) -> Callable[..., None]:
    """The function of a step, with the settings."""

    def migrated(**arguments: Any) -> None:
        with settings.in_step(file):
            migrate(**arguments)

    return migrated
