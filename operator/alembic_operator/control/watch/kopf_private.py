"""Every private name of kopf that the operator uses, and why there is no public one that would do.

They are those of kopf 1.45.2: pyproject.toml admits no older and no other minor version, and
tests/unit/control/watch/test_kopf_private.py fails when one is installed that it has not been tried with.
"""

from __future__ import annotations

from kopf._cogs.structs.references import Insights

__all__ = ["Insights", "has_found_resources"]


def has_found_resources(insights: Insights) -> bool:
    """Whether kopf has read the API server's resources, and begins to watch them.

    The public `ready_flag` is raised before the API server has answered anything: a pod that cannot reach it would
    look ready. `kopf.operator()` takes insights of the caller's, but exports no class to make them of.
    """
    return insights.ready_resources.is_set()
