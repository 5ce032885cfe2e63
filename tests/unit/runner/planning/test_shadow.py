"""What the shadow shows of itself as if it were the target."""

from __future__ import annotations

from typing import Any, cast

import pytest

from alembic_operator.contract import job_env
from alembic_operator.runner.planning.shadow import Shadow

OWN = job_env.SHADOW_DATABASE


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (f"GRANT CONNECT ON DATABASE {OWN} TO app", "GRANT CONNECT ON DATABASE shop TO app"),
        (f'ALTER DATABASE "{OWN}_empty" SET jit = off', 'ALTER DATABASE "shop" SET jit = off'),
        ("CREATE TABLE shadow (id int)", "CREATE TABLE shadow (id int)"),
        (f"CREATE TABLE my_{OWN} (id int)", f"CREATE TABLE my_{OWN} (id int)"),
    ],
)
def test_statement_has_the_targets_name_where_it_has_the_shadows_own(sent: str, shown: str) -> None:
    shadow = Shadow(cast(Any, None), {"dbname": OWN}, cast(Any, None), (), stands_for="shop")
    assert shadow.as_on_the_target(sent) == shown


@pytest.mark.parametrize(
    ("own", "another"), [(f"{OWN}_5f1c", f"{OWN}_5f1c_empty"), ("shop", f"{OWN}_empty"), (OWN, f"{OWN}_empty")]
)
def test_further_database_is_this_runs_own_where_a_server_serves_several(own: str, another: str) -> None:
    assert Shadow(cast(Any, None), {"dbname": own}, cast(Any, None), ()).another("_empty") == another
