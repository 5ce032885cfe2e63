"""Which tests run side by side: a lane is what one of the workers runs from its first test to its last.

Tests of one lane share servers and clusters, tests of two lanes share nothing but the machine. The lanes that mostly
wait for a cluster come first, so that the others compute meanwhile.
"""

from __future__ import annotations

from pathlib import PurePosixPath

# The installed operator twice, each with a cluster of its own; the parts take about as long (`make test-times`).
# What stops, kills or changes the operator is in one lane with nothing that would notice; all that uses a right which
# nothing else uses is in the other one, where test_rights looks.
_SECOND_OPERATOR = frozenset(
    {
        *("test_connections", "test_evidence", "test_interruptions", "test_roads", "test_sources"),
        *("test_surprises", "test_ways_back"),
    }
)
_ORDER = ("operator-1", "operator-2", "storm", "cluster", "port", "manifests")


def lane_of(path: str) -> str:
    """The lane of a test file.

    Args:
        path: Relative to the repository's root, with slashes.
    """
    file = PurePosixPath(path)
    match file.parts[1:3]:
        case ["e2e", "installed"]:
            return "operator-2" if file.stem in _SECOND_OPERATOR else "operator-1"
        case ["e2e", "test_kube_port.py"]:
            return "port"
        case ["cluster", "test_cluster.py"] | ["e2e", "storm"]:
            return PurePosixPath(file.parts[2]).stem.removeprefix("test_")
        case ["e2e", _]:
            return "manifests"
        case ["unit", part]:
            return f"unit/{PurePosixPath(part).stem}"
        case _:
            return str(file.with_suffix("")).removeprefix("tests/")


def place_of(lane: str) -> int:
    """Where a lane stands in the order in which lanes are begun."""
    return _ORDER.index(lane) if lane in _ORDER else len(_ORDER)
