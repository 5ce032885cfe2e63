"""The version of operator and runner: of one source, but the runner's zipapp has no distribution to ask."""

from __future__ import annotations

VERSION = "0.1.0"
