"""The dialects by which the project's engines come to the runner's session."""

from __future__ import annotations

import warnings

import pytest

from alembic_operator.runner.environment import dialects


@pytest.mark.parametrize("name", ["LentPsycopg", "LentPsycopg2", "LentPsycopgAsync", "LentPsycopg2Async"])
def test_compiled_statements_are_kept_as_by_sqlalchemys_own(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(dialects, name)()._supports_statement_cache
