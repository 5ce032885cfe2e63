"""What the helpers say before they touch a database, and how they write SQL."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_operator_helpers import (
    HelperError,
    add_not_null,
    backfill,
    create_index_concurrently,
    drop_index_concurrently,
    on_progress,
    resuming,
)
from alembic_operator_helpers.blocks import Progress, helper, literal, report
from alembic_operator_helpers.indexes import _meaning
from alembic_operator_helpers.positions import Position, calling_revision
from alembic_operator_helpers.tables import identifier, quote

CALLS: list[tuple[str, Callable[[], None]]] = [
    ("create_index_concurrently", lambda: create_index_concurrently("i", "t", ["c"])),
    ("drop_index_concurrently", lambda: drop_index_concurrently("i")),
    ("add_not_null", lambda: add_not_null("t", "c")),
    ("backfill", lambda: backfill("t", {"c": "1"}, "c IS NULL")),
]


def none_before() -> None:
    """Nothing has happened in this process."""


def one_before() -> None:
    with Operations.context(MigrationContext.configure(dialect_name="postgresql")):
        pass


def a_failed_one_before() -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        with pytest.raises(ZeroDivisionError), Operations.context(context):
            raise ZeroDivisionError


@pytest.mark.parametrize("before", [none_before, one_before, a_failed_one_before])
@pytest.mark.parametrize(("name", "call"), CALLS)
def test_helper_is_refused_when_no_migration_runs(
    name: str, call: Callable[[], None], before: Callable[[], None]
) -> None:
    before()
    with pytest.raises(HelperError) as caught:
        call()
    assert str(caught.value) == f"{name} works in a migration only: call it in upgrade() or downgrade()"


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_helper_is_refused_when_sql_is_written_out(name: str, call: Callable[[], None]) -> None:
    output = io.StringIO()
    options = {"as_sql": True, "output_buffer": output}
    offline = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(offline), pytest.raises(HelperError) as caught:
        call()
    assert str(caught.value) == f"{name} reads the database, so it cannot be written out with --sql; run it online"
    assert output.getvalue() == ""


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_helper_is_refused_when_the_database_is_another(name: str, call: Callable[[], None]) -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        online = MigrationContext.configure(connection)
        with Operations.context(online), pytest.raises(HelperError) as caught:
            call()
    assert str(caught.value) == f"{name} is for PostgreSQL; this database is sqlite"


def test_context_says_resuming_when_a_helper_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection:
        closed = False

        def get_execution_options(self) -> dict[str, Any]:
            return {}

    context = MigrationContext.configure(dialect_name="postgresql")
    monkeypatch.setattr(context, "connection", Connection())
    with Operations.context(context):
        assert resuming.get() is False
        with pytest.raises(ZeroDivisionError), helper("backfill"):
            assert resuming.get() is True
            raise ZeroDivisionError
        assert resuming.get() is False


def test_progress_goes_to_whoever_listens_when_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    report(helper="backfill", rows=3)
    assert caplog.messages == ["helper=backfill rows=3"]
    told: list[Progress] = []
    token = on_progress.set(told.append)
    report(helper="backfill", rows=4)
    on_progress.reset(token)
    assert told == [{"helper": "backfill", "rows": 4}]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("text", "sql"),
    [("", "E''"), ("it's", "E'it''s'"), ("a\\b", "E'a\\\\b'"), ("\\'; --", "E'\\\\''; --'"), ("%s :x", "E'%s :x'")],
)
def test_literal_is_closed_when_text_holds_its_signs(text: str, sql: str) -> None:
    assert literal(text) == sql


def test_name_is_quoted_when_it_holds_quotes() -> None:
    assert quote('a"b') == '"a""b"'
    with pytest.raises(HelperError, match="longer than 63 bytes, which PostgreSQL would cut"):
        identifier("backfill", "table", "ü" * 32)
    assert identifier("backfill", "table", "x" * 63) == "x" * 63


@pytest.mark.parametrize(
    "position",
    [Position(), Position(("a", "ü'"), 3, recurring=True), Position(("1",), done=True)],
)
def test_position_is_the_same_when_read_back(position: Position) -> None:
    assert Position.read(position.write()) == position


def test_revision_is_found_when_a_function_of_another_module_calls() -> None:
    module: dict[str, Any] = {"revision": "abc", "down_revision": None, "find": calling_revision}
    exec("def upgrade(): return (lambda: find('backfill'))()", module)  # noqa: S102  # a revision module in small
    assert module["upgrade"]() == "abc"
    with pytest.raises(HelperError, match="backfill keeps its position by revision"):
        calling_revision("backfill")


def test_meaning_leaves_out_names_when_definitions_are_compared() -> None:
    assert _meaning("CREATE UNIQUE INDEX a ON s.t USING btree (x) WHERE (y > 1)") == "UNIQUE btree (x) WHERE (y > 1)"
    assert _meaning("CREATE INDEX b ON t USING btree (x)") == "btree (x)"
