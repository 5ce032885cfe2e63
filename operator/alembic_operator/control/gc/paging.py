"""Long lists, page by page: a page is held in memory, never the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

from alembic_operator.cluster.errors import Gone
from alembic_operator.cluster.port import Cluster, Kind, Raw

PAGE = 200


async def listed(
    cluster: Cluster, kind: Kind, namespaces: tuple[str, ...], *, labels: str = "", metadata: bool = False
) -> AsyncIterator[Raw]:
    """Every object of these namespaces (none: of all), some twice where a listing had to begin again.

    `labels` and `metadata` are those of `Cluster.page`.
    """
    for namespace in namespaces or ("",):
        token = ""
        while True:
            try:
                part = await cluster.page(kind, namespace, PAGE, token, labels=labels, metadata=metadata)
            except Gone:
                token = ""  # the pages have expired: from the start, looking twice does no harm
                continue
            for raw in part.items:
                yield raw
            token = part.token
            if not token:
                break
