"""What a session's search_path names, and what PostgreSQL makes of it."""

from __future__ import annotations

import pytest

from alembic_operator.runner.database.search_path import SearchPath, names_in, resolved, setting_of


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ('"$user", public', ["shop", "public"]),
        ("$user,public", ["shop", "public"]),
        ('"Shop App", "o""dd", PUBLIC', ["Shop App", 'o"dd', "public"]),
        ('  app ,  "a,b"  ', ["app", "a,b"]),
        ("app, shop, app, $user", ["app", "shop"]),
        ('""', []),
        ("", []),
        ("größe", ["größe"]),
    ],
)
def test_names_are_those_that_postgresql_reads(setting: str, names: list[str]) -> None:
    assert names_in(setting, "shop") == names


def test_setting_is_read_back_when_names_need_quotes() -> None:
    names = ("Shop App", 'o"dd', "a,b", "public")
    assert tuple(names_in(setting_of(names), "shop")) == names


def test_missing_schema_is_kept_for_a_revision_to_make_and_not_looked_into() -> None:
    path = resolved(["shop", "app", "public"], {"public": True}, "shop", pinned=False)
    assert (path.schemas, path.missing) == (("shop", "app", "public"), ("shop", "app"))
    assert path.existing == ["public"]
    assert path.warnings() == [
        'The search path of role "shop" names schema "app", which does not exist; PostgreSQL skips it.'
    ]


def test_schema_is_left_out_when_the_role_may_not_use_it() -> None:
    path = resolved(["app", "public"], {"app": False, "public": True}, "shop", pinned=False)
    assert (path.schemas, path.missing, path.denied) == (("public",), (), ("app",))
    assert "no USAGE" in path.warnings()[0]


def test_schema_is_kept_when_only_the_reviewing_role_may_not_use_it() -> None:
    path = resolved(["app", "public"], {"app": False, "public": True}, "review", pinned=True)
    assert path.existing == ["app", "public"]


@pytest.mark.parametrize(
    ("schemas", "missing", "first"),
    [
        (("pg_temp", "public"), (), True),
        (("gone", "pg_temp"), ("gone",), True),
        (("public", "pg_temp"), (), False),
        ((), (), False),
    ],
)
def test_new_objects_are_temporary_when_no_schema_stands_before_pg_temp(
    schemas: tuple[str, ...], missing: tuple[str, ...], first: bool
) -> None:
    path = SearchPath(schemas, missing)
    assert path.temporary_first is first
    assert "pg_temp" not in path.existing
