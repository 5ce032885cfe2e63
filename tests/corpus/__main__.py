"""`python -m tests.corpus [15|16|18]`: the table of the corpus."""

from __future__ import annotations

import sys

from tests.cluster.postgres import VERSIONS

from .run import judge, table

_ASKED = int(sys.argv[1]) if len(sys.argv) > 1 else VERSIONS[0]
sys.stdout.write(table(judge(next(one for one in VERSIONS if one == _ASKED))) + "\n")
