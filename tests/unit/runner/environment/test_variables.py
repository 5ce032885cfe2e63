"""Arguments for env.py that name environment variables."""

from __future__ import annotations

import pytest

from alembic_operator.contract.reasons import Reason
from alembic_operator.runner.environment.variables import expand_arguments
from alembic_operator.runner.errors import RunFailed


@pytest.mark.parametrize(
    ("argument", "expanded"),
    [
        ("url=$(SHOP_URL)", "url=postgresql://a:$(SHOP_HOST)@b/c"),  # what a value has is not read again
        ("url=x$(SHOP_HOST):$(SHOP_HOST)y", "url=xdb:dby"),
        ("url=$$(SHOP_HOST)", "url=$(SHOP_HOST)"),
        ("url=$$$(SHOP_HOST)", "url=$$(SHOP_HOST)"),
        ("tenant=$SHOP_HOST ${SHOP_HOST} $() $(a b) $", "tenant=$SHOP_HOST ${SHOP_HOST} $() $(a b) $"),
        ("tenant", "tenant"),
    ],
)
def test_variables_are_put_in_when_an_argument_names_them(
    monkeypatch: pytest.MonkeyPatch, argument: str, expanded: str
) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://a:$(SHOP_HOST)@b/c")
    monkeypatch.setenv("SHOP_HOST", "db")
    assert expand_arguments([argument]) == [expanded]


def test_field_is_named_when_an_argument_names_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://a:secret@b/c")
    monkeypatch.delenv("SHOP_ULR", raising=False)
    with pytest.raises(RunFailed) as refused:
        expand_arguments(["url=$(SHOP_URL) $(SHOP_ULR)"])
    failure = refused.value.failure
    assert failure.reason == Reason.INVALID_SPEC
    assert "$(SHOP_ULR)" in failure.message and "spec.migrations.connectionEnv" in failure.message
    assert "secret" not in failure.message
