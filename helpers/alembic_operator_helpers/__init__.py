"""Lock-safe steps for Alembic revisions on PostgreSQL that may be killed at any point and run again.

Each opens an autocommit block of its own, so a revision that calls one does nothing else. They need no operator; under
alembic-operator they report progress and keep their position in its journal.
"""

from .backfills import backfill
from .blocks import HelperError, on_progress, resuming
from .columns import add_not_null
from .indexes import create_index_concurrently, drop_index_concurrently

__version__ = "0.1.0"

__all__ = [
    "HelperError",
    "add_not_null",
    "backfill",
    "create_index_concurrently",
    "drop_index_concurrently",
    "on_progress",
    "resuming",
]
