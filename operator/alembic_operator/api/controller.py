"""The one owner of an object that controls it: labels can be written by anybody who may create pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Raw = Mapping[str, Any]


def controller_of(raw: Raw) -> Raw | None:
    """The owner reference of whoever controls a raw object."""
    owners: Iterable[Raw] = raw["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def controlled_by(raw: Raw, uid: str) -> bool:
    """Whether that uid is the controller of a raw object."""
    owner = controller_of(raw)
    return owner is not None and owner.get("uid") == uid
