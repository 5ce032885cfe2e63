"""Two corpora, planned in a real shadow: what is caught, and who is alarmed for nothing."""

from __future__ import annotations

import pytest
from tests.cluster.postgres import Version
from tests.corpus.run import CORPORA, judge, table


@pytest.mark.parametrize(("corpus", "version"), [("published", 18), ("projects", 15)])
def test_unsafe_are_caught_and_safe_pass_when_a_corpus_is_reviewed(corpus: str, version: Version) -> None:
    verdicts = judge(version, CORPORA[corpus])
    unsafe, safe = ([one for one in verdicts if one.case.unsafe is kind] for kind in (True, False))
    assert (len(unsafe) >= 40, len(safe) >= 30) == (True, True)
    assert sum(one.stopped for one in unsafe) / len(unsafe) >= 60 / 64, table(verdicts)
    assert sum(one.stopped for one in safe) / len(safe) <= 2 / 36, table(verdicts)


@pytest.mark.parametrize("corpus", list(CORPORA))
def test_each_case_names_its_source(corpus: str) -> None:
    cases = CORPORA[corpus]
    assert len({case.name for case in cases}) == len(cases)
    assert all(case.source.startswith("https://") for case in cases)
