"""The list of faults, by the side of the Job boundary that they are on."""

from __future__ import annotations

from .contract import CONTRACT
from .operator import OPERATOR
from .runner import RUNNER
from .tools import TOOLS

FAULTS = (*CONTRACT, *OPERATOR, *RUNNER, *TOOLS)
