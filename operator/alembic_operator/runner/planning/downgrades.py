"""What a revision's file declares as its way back."""

from __future__ import annotations

import ast
from pathlib import Path

MISSING, EMPTY, UNPROVEN = "missing", "empty", "unproven"


def declared(path: str) -> str:
    """`missing` where there is none or it only raises, `empty` where it does nothing, else `unproven`."""
    try:
        module = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return UNPROVEN
    found = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "downgrade"]
    if not found:
        return MISSING
    body = [node for node in found[-1].body if not _says_nothing(node)]
    if not body:
        return EMPTY
    return MISSING if isinstance(body[0], ast.Raise) else UNPROVEN


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None or isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
