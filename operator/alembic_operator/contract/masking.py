"""Secrets out of SQL that people will read: the literal after PASSWORD, passwords in URLs, and known values."""

from __future__ import annotations

import re
from collections.abc import Collection

MASK = "***"
SHORTEST = 6  # characters of a known value that is masked wherever it stands; a shorter one only as a whole literal

_STRING = r"(?:[eEnN]|[uU]&)?'(?:[^'\\]|''|\\[\s\S])*'|\$(?P<tag>\w*)\$[\s\S]*?\$(?P=tag)\$"
_GAP = r"(?:\s|--[^\n\r]*|/\*[\s\S]*?\*/)*"
# The first form is where the statement is a literal itself: EXECUTE 'ALTER ROLE x PASSWORD ''y''' in a DO body.
_AFTER_PASSWORD = re.compile(
    rf"(\bPASSWORD\b\"?{_GAP}(?::=|=>|=|:)?{_GAP})(?:(?P<doubled>'')[^'\n]+''|{_STRING})", re.IGNORECASE
)
_LITERAL = re.compile(r"'[^']*'")
_SETTING = re.compile(r"\b((?:password|passwd|pwd)\s*=\s*)[^\s'\";,)]+", re.IGNORECASE)  # of libpq, in a literal
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)[^\s@'\"]+(?=@)", re.IGNORECASE)


def mask(sql: str, secrets: Collection[str]) -> str:
    """The text with `***` in place of what must not be shown.

    Args:
        sql: one or more statements; it need not be well formed.
        secrets: values of the Secrets that the pod has, such as the password of the connection.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        doubled, escaped = (text.replace("'", "''") for text in (secret, secret.replace("\\", "\\\\")))
        for written in (escaped, doubled):
            sql = sql.replace(f"'{written}'", f"'{MASK}'")
        if len(secret) >= SHORTEST:
            for written in (escaped, doubled, secret):
                sql = sql.replace(written, MASK)
    if re.search("passw|pwd", sql, re.IGNORECASE):
        sql = _AFTER_PASSWORD.sub(_without_password, sql)
        sql = _LITERAL.sub(lambda match: _SETTING.sub(rf"\1{MASK}", match.group()), sql)
    if "://" in sql:
        sql = _URL.sub(rf"\1{MASK}", sql)
    return sql


def _without_password(match: re.Match[str]) -> str:
    quote = "''" if match.group("doubled") else "'"
    return f"{match.group(1)}{quote}{MASK}{quote}"
