"""Long lists, page by page: a page is held in memory, never the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from alembic_operator.cluster.errors import Gone
from alembic_operator.cluster.port import Page

PAGE = 200


async def listed(
    page: Callable[[str, int, str], Awaitable[Page]], namespaces: tuple[str, ...]
) -> AsyncIterator[Mapping[str, Any]]:
    """Every object of these namespaces (none: of all), some twice where a listing had to begin again."""
    for namespace in namespaces or ("",):
        token = ""
        while True:
            try:
                part = await page(namespace, PAGE, token)
            except Gone:
                token = ""  # the pages have expired: from the start, looking twice does no harm
                continue
            for raw in part.items:
                yield raw
            token = part.token
            if not token:
                break
