"""120 migrations from published sources, planned in a real shadow: what is caught, and who is alarmed for nothing."""

from __future__ import annotations

import pytest
from tests.cluster.postgres import Version
from tests.corpus.run import every, judge, table


@pytest.mark.parametrize("version", [15, 18])
def test_unsafe_are_caught_and_safe_pass_when_published_migrations_are_reviewed(version: Version) -> None:
    verdicts = judge(version)
    unsafe, safe = ([one for one in verdicts if one.case.unsafe is kind] for kind in (True, False))
    assert (len(unsafe) >= 64, len(safe) >= 36) == (True, True)
    assert sum(one.stopped for one in unsafe) / len(unsafe) >= 60 / 64, table(verdicts)
    assert sum(one.stopped for one in safe) / len(safe) <= 2 / 36, table(verdicts)


def test_each_case_names_its_source() -> None:
    cases = every(18)
    assert len({case.name for case in cases}) == len(cases)
    assert all(case.source.startswith("https://") for case in cases)
