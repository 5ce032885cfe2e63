"""No secret in SQL that people will read; and nothing else changed in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_operator.contract.masking import mask


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("ALTER ROLE r PASSWORD 'hunter2'", "ALTER ROLE r PASSWORD '***'"),
        ("alter role r encrypted password\n'it''s me'; SELECT 1", "alter role r encrypted password\n'***'; SELECT 1"),
        ("ALTER ROLE r PASSWORD E'a\\'b' VALID UNTIL 'x'", "ALTER ROLE r PASSWORD '***' VALID UNTIL 'x'"),
        ("ALTER ROLE r PASSWORD /* x */ $q$hunter2$q$", "ALTER ROLE r PASSWORD /* x */ '***'"),
        ("CREATE USER MAPPING FOR u SERVER s OPTIONS (password 'x')", None),
        ("DO $$BEGIN EXECUTE 'ALTER ROLE r PASSWORD ''hunter2'''; END$$", None),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2 user=u' PUBLICATION p", None),
        ("SELECT dblink('postgresql://u:hunter2@h/d', 'SELECT 1')", None),
        ("UPDATE users SET password = 'hunter2'", "UPDATE users SET password = '***'"),
        ("INSERT INTO k VALUES ('s3cret-value')", "INSERT INTO k VALUES ('***')"),
        ("SELECT 'x s3cret-value y'", "SELECT 'x *** y'"),
        ("SELECT 'it''s a quote'", "SELECT '***'"),
        ("SELECT 'abc', abc", "SELECT '***', abc"),
    ],
)
def test_shows_no_secret_wherever_it_stands(sql: str, shown: str | None) -> None:
    found = mask(sql, ["s3cret-value", "it's a quote", "abc", ""])
    assert "hunter2" not in found
    assert "***" in found
    assert shown is None or found == shown


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE users ADD password text",
        "UPDATE users SET password = crypt(password, gen_salt('bf'))",
        "SELECT password FROM users WHERE name = 'x'",
        "UPDATE users SET password = %(password)s",
        "COMMENT ON COLUMN users.password IS 'hashed'",
        "SELECT 'http://example.com/a:b'",
        "ALTER ROLE r PASSWORD NULL",
        "",
    ],
)
def test_changes_nothing_where_there_is_no_secret(sql: str) -> None:
    assert mask(sql, ["s3cret-value", "abc"]) == sql


def test_shows_no_end_of_a_secret_when_another_one_is_its_beginning() -> None:
    assert mask("SELECT 'open-sesame-now'", ["open-sesame", "open-sesame-now"]) == "SELECT '***'"


def test_masks_the_password_of_a_url_when_no_secret_is_known() -> None:
    assert mask("SELECT dblink('postgresql://u:hunter2@h/d', '')", []) == "SELECT dblink('postgresql://u:***@h/d', '')"


@given(st.text(min_size=6), st.text(), st.text())
def test_shows_no_known_value_of_six_characters_or_more(secret: str, before: str, after: str) -> None:
    shown = mask(before + secret + after, [secret])
    assert secret not in shown or secret in "***" * 4 or "*" in secret


@given(st.text(min_size=1).filter(lambda text: "*" not in text))
def test_masks_a_literal_that_is_a_known_value(secret: str) -> None:
    quoted = secret.replace("'", "''")
    assert mask(f"SELECT '{quoted}'", [secret]) == "SELECT '***'"
