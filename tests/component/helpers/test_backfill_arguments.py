"""What a backfill is given: SQL is taken as it is, and what is wrong is named before a row is touched."""

from __future__ import annotations

import pytest
from tests.component.helpers.conftest import OWN, Project

from alembic_operator_helpers import HelperError

pytestmark = pytest.mark.usefixtures("items")


def test_signs_mean_what_they_mean_in_sql_when_expressions_hold_them(project: Project) -> None:
    project.migrate(
        "backfill('items', {'note': \"'%s :n ' || 7 % 4 || '10:30'::text\"}, \"note IS NULL AND id::text LIKE '%7'\")"
    )
    assert project.value("SELECT count(*) FROM items WHERE note = '%s :n 310:30'") == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ('"items", {"nope": "1"}, "true"', "public.items has no column 'nope'; it has id, n, note"),
        ('"items", {"id": "1"}, "true"', "id is in the primary key of public.items, which orders the batches"),
        ('"items", {}, "true"', "set must map columns to SQL expressions"),
        ('"items", "n = 1", "true"', "set must map columns to SQL expressions"),
        ('"items", {"n": 1}, "true"', "set['n'] must be an SQL expression as text"),
        ('"items", {"n": "1"}, ""', "where must be an SQL condition"),
        ('"items", {"n": "1"}, None', "where must be an SQL condition"),
        ('"items", {"n": "1"}, "true", batch=0', "batch must be an integer from 1 to 100000, got 0"),
        ('"items", {"n": "1"}, "true", batch=1.5', "batch must be an integer from 1 to 100000, got 1.5"),
        ('"items", {"n": "1"}, "true", pause=-1', "pause must be seconds from 0 to 3600, got -1"),
        ('"nope", {"n": "1"}, "true"', "there is no table 'nope' in the search path"),
        ('"keyless", {"n": "1"}, "true"', "public.keyless has no primary key, which orders the batches"),
        ('"keyless", {"g": "1"}, "true"', "g of public.keyless is generated; PostgreSQL fills it by itself"),
    ],
)
def test_error_names_the_argument_when_it_is_wrong(project: Project, arguments: str, message: str) -> None:
    project.execute("CREATE TABLE keyless (n int, g int GENERATED ALWAYS AS (n + 1) STORED)")
    with pytest.raises(HelperError) as caught:
        project.migrate(f"backfill({arguments})")
    assert message in str(caught.value)
    assert not project.exists(OWN)
