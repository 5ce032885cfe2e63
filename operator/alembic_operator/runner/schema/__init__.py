"""What a database's schema is: a snapshot of its catalog, a fingerprint of that, and how two snapshots differ."""

from .compare import Difference, compared, differences
from .read import snapshot
from .snapshot import VERSION, Snapshot

__all__ = ["VERSION", "Difference", "Snapshot", "compared", "differences", "snapshot"]
