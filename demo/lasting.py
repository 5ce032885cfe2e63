"""What the demo leaves behind, written down before it is made, so that `down` finds it after any interruption."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from . import places


@dataclass(frozen=True)
class Left:
    """What an `up` made in a cluster that was given; nothing of it for the demo's own, which goes as a whole.

    Attributes:
        kubeconfig: Of the cluster that was given, or empty.
        registry: Of that cluster.
        definitions: Whether the CRD came with the demo.
    """

    kubeconfig: str = ""
    registry: str = ""
    definitions: bool = False


def write(left: Left) -> None:
    """Keep it for `down`."""
    places.RECORD.parent.mkdir(parents=True, exist_ok=True)
    places.RECORD.write_text(json.dumps(asdict(left)))


def read() -> Left:
    """What the last `up` wrote."""
    try:
        return Left(**json.loads(places.RECORD.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return Left()
