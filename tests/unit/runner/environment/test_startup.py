"""What an engine gives its connections when they start, as statements for a session that runs already."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_operator.runner.environment.startup import startup_statements


@pytest.mark.parametrize(
    ("options", "statements"),
    [
        ("-c search_path=app", ['SET search_path TO "app"']),
        ("-csearch_path=app,public", ['SET search_path TO "app", "public"']),
        ("--search_path=$user,public", ['SET search_path TO "$user", "public"']),
        ('-c search_path="Shop\\ App",\\ public', ['SET search_path TO "Shop App", "public"']),
        ("-c search_path=", ["SET search_path TO ''"]),
        ('-c search_path="Shop App"', ['SET search_path TO "Shop']),
        ("-c lock_timeout=3s -c role=owner", ["SET lock_timeout TO '3s'", "SET role TO 'owner'"]),
        ("--lock-timeout=3s", ["SET lock_timeout TO '3s'"]),
        ("-c app.tenant=it\\'s\\ north", ["SET app.tenant TO 'it''s north'"]),
        ("-c Statement_Timeout=0", ["SET statement_timeout TO '0'"]),
        ("endpoint=ep-cool-darkness", []),
        ("-c application_name=shop -e", []),
        ("-c", []),
        ("-c search_path", []),
        ("-c x;DROP=1", []),
        ("", []),
    ],
)
def test_statements_are_those_of_libpqs_options(options: str, statements: list[str]) -> None:
    assert startup_statements({"options": options}) == statements


@pytest.mark.parametrize(
    ("parameters", "statements"),
    [
        (
            {"server_settings": {"search_path": "app", "jit": "off", "application_name": "x"}},
            ['SET search_path TO "app"', "SET jit TO 'off'"],
        ),
        ({"options": None, "server_settings": None}, []),
        ({"host": "db.example", "user": "shop"}, []),
    ],
)
def test_statements_are_those_of_asyncpgs_server_settings(parameters: dict[str, Any], statements: list[str]) -> None:
    assert startup_statements(parameters) == statements
