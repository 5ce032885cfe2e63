"""What takes data away, or takes a name away that running programs use."""

from __future__ import annotations

from . import beyond, code, drops, emptied, guards, renames
from .drops import dropped
from .emptied import every_row

__all__ = ["RULES", "dropped", "every_row"]

RULES = (*drops.RULES, *renames.RULES, *emptied.RULES, *guards.RULES, *beyond.RULES, *code.RULES)
