"""`python -m tests.corpus [published|projects] [15|16|18]`: the table of a corpus; `page`: docs/corpus.md anew."""

from __future__ import annotations

import sys

from tests.cluster.postgres import VERSIONS

from . import page
from .run import CORPORA, judge, table

_CORPUS = sys.argv[1] if len(sys.argv) > 1 else "published"
_ASKED = int(sys.argv[2]) if len(sys.argv) > 2 else VERSIONS[0]
if _CORPUS == "page":
    page.write()
else:
    found = judge(next(one for one in VERSIONS if one == _ASKED), CORPORA[_CORPUS])
    sys.stdout.write(table(found) + "\n")
