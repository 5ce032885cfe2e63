"""What can go wrong between us and the API server, in our words. Each error carries the server's own sentence."""

from __future__ import annotations


class ClusterError(Exception):
    """A request that did not succeed.

    Attributes:
        action: what was attempted, as `create Job shop/shop-7f3c9a1b-1`.
        detail: the API server's sentence.
    """

    def __init__(self, action: str, detail: str) -> None:
        super().__init__(f"{action}: {detail}")
        self.action = action
        self.detail = detail


class NotFound(ClusterError):
    """No such object (any more)."""


class AlreadyExists(ClusterError):
    """Somebody, perhaps an earlier life of ours, made it already."""


class Conflict(ClusterError):
    """The object is not the one that was read: another uid, or a newer version."""


class Refused(ClusterError):
    """The API server understood and will not: admission, quota, schema or missing rights (400, 403, 422)."""


class Gone(ClusterError):
    """The page token of a listing has expired: list again."""


class Unavailable(ClusterError):
    """Nothing is known: no connection, a timeout, or 429 and 5xx after the adapter's own tries.

    Attributes:
        retry_after: seconds after which the server wants to be asked again; 0 when it did not say.
    """

    def __init__(self, action: str, detail: str, retry_after: float = 0.0) -> None:
        super().__init__(action, detail)
        self.retry_after = retry_after
