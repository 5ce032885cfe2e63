"""What the chart makes with its default values, as deploy/install.yaml holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "alembic-operator"
VALUES: dict[str, Any] = yaml.load((CHART / "values.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
_INSTALL = (ROOT / "deploy" / "install.yaml").read_text(encoding="utf-8")
OBJECTS: list[dict[str, Any]] = list(yaml.load_all(_INSTALL, yaml.CSafeLoader))


def named(kind: str, name: str) -> dict[str, Any]:
    """The one object of that kind and name."""
    [found] = [each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def of_kind(kind: str) -> list[dict[str, Any]]:
    """Every object of a kind."""
    return [each for each in OBJECTS if each["kind"] == kind]
