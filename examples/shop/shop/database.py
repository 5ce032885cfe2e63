"""The connection: one URI in DATABASE_URL, as the Secret's key `uri` holds it."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa


def url() -> sa.URL:
    """The database's address, with psycopg 3 as the driver.

    Raises:
        SystemExit: DATABASE_URL is missing or no PostgreSQL URI; the message never quotes it, as it holds a password.
    """
    text = os.environ.get("DATABASE_URL", "")
    if not text:
        raise SystemExit("DATABASE_URL is not set; give it a URI, e.g. postgresql://shop:secret@localhost:5432/shop")
    try:
        parsed = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise SystemExit("DATABASE_URL is no URI; expected postgresql://user:password@host:port/database") from None
    if parsed.get_backend_name() not in ("postgres", "postgresql"):
        raise SystemExit(f"DATABASE_URL names {parsed.get_backend_name()!r}; the shop runs on PostgreSQL only")
    return parsed.set(drivername="postgresql+psycopg")


def engine(**options: Any) -> sa.Engine:
    """An engine on `url()`; options as for `sqlalchemy.create_engine`."""
    return sa.create_engine(url(), **options)
