"""Placeholders that the driver fills in by itself: what is sent is read, and nothing beside."""

from __future__ import annotations

import pytest

from alembic_operator.review.ast import trees


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("DELETE FROM a WHERE id IN %(ids)s", "DELETE FROM a WHERE id IN ( $1 )"),
        ("DELETE FROM a WHERE id NOT IN %s", "DELETE FROM a WHERE id NOT IN ( $1 )"),
        ("DELETE FROM a WHERE (x, y) in %s AND b = %s", "DELETE FROM a WHERE ( x , y ) in ( $1 ) AND b = $2"),
        ("DELETE FROM a WHERE id IN (%s, %s)", "DELETE FROM a WHERE id IN ( $1 , $2 )"),
        ("INSERT INTO a (x, y) VALUES %s", "INSERT INTO a ( x , y ) VALUES ( $1 )"),
        ("SELECT position('a' IN %s)", "SELECT position ( 'a' IN ( $1 ) )"),
        ("DELETE FROM a WHERE at < now() - INTERVAL %(age)s", "DELETE FROM a WHERE at < now ( ) - INTERVAL ''"),
        ("DELETE FROM a WHERE at < timestamp %s", "DELETE FROM a WHERE at < timestamp ''"),
        ("DELETE FROM a WHERE date = %s", "DELETE FROM a WHERE date = $1"),
    ],
)
def test_statement_is_read_when_the_driver_writes_the_value(sql: str, text: str) -> None:
    (tree,) = trees(sql, bound=True)
    assert (tree.kind.rpartition("_")[2], tree.text) == ("stmt", text)


@pytest.mark.parametrize(
    ("sql", "bound"),
    [
        ("DROP TABLE %s", True),  # a name, by AsIs
        ("%s", True),
        ("DELETE FROM a WHERE id IN %s %s", True),
        ("DELETE FROM a WHERE id IN %s", False),  # sent as it stands
    ],
)
def test_statement_is_not_read_when_it_could_be_anything(sql: str, bound: bool) -> None:
    (tree,) = trees(sql, bound=bound)
    assert (tree.kind, tree.node) == ("", None)
