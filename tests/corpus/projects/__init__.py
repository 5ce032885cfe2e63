"""Migrations in the form that Alembic projects have them, written before their verdicts were known."""

from __future__ import annotations

from .safe import SAFE_PROJECTS
from .unsafe_columns import UNSAFE_COLUMNS
from .unsafe_locks import UNSAFE_LOCKS

PROJECTS = (*UNSAFE_COLUMNS, *UNSAFE_LOCKS, *SAFE_PROJECTS)
