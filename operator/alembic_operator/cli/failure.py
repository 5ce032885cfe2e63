"""Why there is no plan."""

from __future__ import annotations


class CannotPlan(Exception):
    """No plan could be made: the message says what was attempted, what was found, and what to do. No password in it."""
