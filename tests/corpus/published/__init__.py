"""Migrations that stopped somebody's production, that a linter's documentation warns of, or that it recommends."""

from __future__ import annotations

from .safe_additions import SAFE_ADDITIONS
from .safe_upkeep import SAFE_UPKEEP
from .unsafe_columns import UNSAFE_COLUMNS
from .unsafe_locks import UNSAFE_LOCKS
from .unsafe_lost import UNSAFE_LOST

PUBLISHED = (*UNSAFE_LOST, *UNSAFE_COLUMNS, *UNSAFE_LOCKS, *SAFE_ADDITIONS, *SAFE_UPKEEP)
