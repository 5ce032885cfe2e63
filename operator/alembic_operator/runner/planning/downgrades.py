"""What a revision's file declares as its way back."""

from __future__ import annotations

import ast
from pathlib import Path

MISSING, EMPTY, UNPROVEN = "missing", "empty", "unproven"


def declared(path: str) -> str:
    """What is declared.

    Returns:
        `missing` where there is no downgrade() or it only raises; `empty` where it does nothing and upgrade() does
        something; else `unproven`, also where both do nothing, as in a merge.
    """
    try:
        module = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return UNPROVEN
    down, up = _body(module, "downgrade"), _body(module, "upgrade")
    if down is None:
        return MISSING
    if not down:
        return UNPROVEN if up == [] else EMPTY
    return MISSING if isinstance(down[0], ast.Raise) else UNPROVEN


def does_nothing(path: str) -> bool:
    """Whether the upgrade() of the file is empty."""
    try:
        return _body(ast.parse(Path(path).read_bytes()), "upgrade") == []
    except (OSError, SyntaxError, ValueError):
        return False


def _body(module: ast.Module, name: str) -> list[ast.stmt] | None:
    """The statements of a function that do something; None where there is no such function."""
    found = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return [node for node in found[-1].body if not _says_nothing(node)] if found else None


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None or isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
