"""Names that are the same in every life."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import examples

from alembic_operator.contract.request import RunKind
from alembic_operator.core.job.names import job_name, runner_config_map

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SCHEMAS = st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?){0,3}", fullmatch=True
)


def test_name_is_this_when_it_is_made_in_any_life() -> None:
    assert job_name("shop", "uid", RunKind.APPLY, "3", 2) == "shop-3b78fbbe-2"


@settings(max_examples=examples(300))
@given(SCHEMAS, st.sampled_from(RunKind), st.text(max_size=300), st.integers(1, 2**31 - 1))
def test_name_is_a_label_when_the_resource_has_any_name(schema: str, kind: RunKind, trigger: str, attempt: int) -> None:
    assert LABEL.fullmatch(job_name(schema, "uid", kind, trigger, attempt))


def test_names_differ_when_the_uid_kind_or_trigger_does() -> None:
    names = {
        job_name("shop", uid, kind, trigger, 1) for uid in ("a", "b") for kind in RunKind for trigger in ("1", "2")
    }
    assert len(names) == 2 * len(RunKind) * 2


def test_config_map_is_named_by_content() -> None:
    assert runner_config_map("0123456789abcdef") == "alembic-operator-runner-0123456789ab"
