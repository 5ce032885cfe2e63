"""What takes data away, or takes a name away that running programs use."""

from __future__ import annotations

from . import access, deleted_rows, drops, renames, server_objects, unreadable
from .deleted_rows import every_row
from .drops import dropped

__all__ = ["RULES", "dropped", "every_row"]

RULES = (*drops.RULES, *renames.RULES, *deleted_rows.RULES, *access.RULES, *server_objects.RULES, *unreadable.RULES)
