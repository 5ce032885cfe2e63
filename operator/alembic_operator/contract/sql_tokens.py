"""A lexer for PostgreSQL's SQL: text in, tokens out, comments and white space left out.

It knows where quotes, comments and names end, and nothing of grammar. What it cannot read for sure it refuses, so that
nothing hides in a text that PostgreSQL reads in another way. docs/digests.md states the rules.
"""

from __future__ import annotations

import re

_NAME = r"A-Za-z0-9_$\x80-\U0010ffff"  # PostgreSQL takes every byte above 127 for a letter
_WORD = rf"[A-Za-z_\x80-\U0010ffff][{_NAME}]*"
_TAG = r"(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?"
_ESCAPED = r"'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'"
# After E'a' and a line end, 'b' goes on with the same string, and backslashes escape there too.
_CONTINUES = r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*"
# A comment that holds no other one; those that do are met as "/*".
_COMMENT = r"/\*[^*/]*(?:(?:\*(?!/)|/(?!\*))[^*/]*)*\*/"
_GAP = rf"(?:[ \t\n\r\f\v]+|--[^\n\r]*|{_COMMENT})*"
_PLACE = rf"%[sbt](?![{_NAME}])|%\(\w+\)[sbt](?![{_NAME}])"
# Some alternative matches after every gap, so the gap is never tried shorter.
_TOKEN = re.compile(
    rf"{_GAP}("
    rf"[eE]{_ESCAPED}(?:{_CONTINUES}{_ESCAPED})*"
    r"|(?:[bBxX]|[uU]&)?'[^']*(?:''[^']*)*'"
    r'|(?:[uU]&)?"[^"]*(?:""[^"]*)*"'
    rf"|{_WORD}"
    r"|0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+"
    r"|(?:[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?"
    r"|[(),;\[\].]"
    rf"|\$[0-9]+|\$({_TAG})\$[\s\S]*?\$\2\$"
    rf"|{_PLACE}|::|:=|:[A-Za-z_]\w*|:"
    rf"|(?:(?!--|/\*|{_PLACE})[-+*/<>=~!@#%^&|`?])+"
    r"|/\*|\Z|[\s\S])"
)
_STRAY = frozenset(map(chr, (*range(32), 127))) | frozenset(("'", '"', "$", "\\", "{", "}", "/*"))
_BOUND = re.compile(r"/\*|\*/")


class Unreadable(ValueError):
    """The text cannot be read for sure."""


def tokens(sql: str) -> list[str]:
    r"""The tokens of a text, as written.

    Raises:
        Unreadable: an open quote or comment, a stray character, or `\'` in a plain string: whether that ends the string
            depends on a setting of the server.
    """
    found = [pair[0] for pair in _TOKEN.findall(sql)]
    if "/*" in found:
        found = _with_nested_comments(sql)
    if not _STRAY.isdisjoint(found):
        raise Unreadable("an open quote or comment, or a character that no statement has there")
    if "\\'" in sql and any("\\'" in token and token[0] == "'" for token in found):
        raise Unreadable("a backslash before the quote of a plain string")
    while found and not found[-1]:
        found.pop()
    return found


def _with_nested_comments(sql: str) -> list[str]:
    found: list[str] = []
    at = 0
    while True:
        match = _TOKEN.match(sql, at)
        if match is None or not match.group(1):
            return found
        at = match.end()
        if match.group(1) != "/*":
            found.append(match.group(1))
            continue
        depth = 1
        while depth:
            bound = _BOUND.search(sql, at)
            if bound is None:
                raise Unreadable("an open comment")
            depth += 1 if bound.group() == "/*" else -1
            at = bound.end()
