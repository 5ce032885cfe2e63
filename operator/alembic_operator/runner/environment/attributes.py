"""`config.attributes`: empty as on the command line, but for an env.py that cannot do without a connection there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from .lending import Lender

_NAME = "connection"


class Attributes(dict):  # type: ignore[type-arg]
    """What programs give to env.py.

    Alembic's cookbook has env.py take a connection from here where there is one, and make an engine otherwise. As the
    command line gives none, neither is one given here, unless the file asks for it without another way.

    Args:
        lender: of the session.
        given: whether the connection is there for `get()` and `in` too.
    """

    def __init__(self, lender: Lender, *, given: bool) -> None:
        super().__init__()
        self._lender, self._given = lender, given
        self._connection: Connection | None = None

    def __missing__(self, name: str) -> Any:
        if name != _NAME:
            raise KeyError(name)
        return self._connect()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (self._given and name == _NAME)

    def get(self, name: str, default: Any = None) -> Any:
        """See dict."""
        if self._given and name == _NAME:
            return self[name]
        return super().get(name, default)

    def close(self) -> None:
        """Close the connection that was given."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> Connection:
        if self._connection is None:
            url = f"postgresql+{self._lender.driver.name}://"
            dialect = create_engine(url).dialect
            engine = create_engine(
                url, creator=lambda: self._lender.take(dialect, None), poolclass=NullPool, hide_parameters=True
            )
            self._connection = engine.connect()
        return self._connection
