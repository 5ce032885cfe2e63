"""docs/messages.md: every message of every reason, read out of the source where it is written."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from alembic_operator.contract.reasons import Reason
from alembic_operator.runner.terms import IN_A_JOB

from . import places

_PACKAGE = places.ROOT / "operator" / "alembic_operator"
_FOLDERS = ("runner", "core")
_SENTENCES = ("core/runs/pod_start.py", "runner/terms.py")  # modules of functions whose calls are parts of messages
_BRIEF = 12  # characters: what is shorter is a part of a message, and no message
_DEEP = 6  # names that stand for names
_HEADER = """\
# Messages

Generated from the source by `make generate`. The messages of conditions, of events and of `alembic-operator plan`, by
reason. Names and values replace the words in guillemets. [Conditions and reasons](reasons.md) has the cause and the
remedy of each reason. To find a message, search this page for a part of it.
"""


@dataclass
class _Function:
    """A function of a module, with the strings that its names stand for."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    values: dict[str, list[ast.expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for child in ast.walk(self.node):
            if isinstance(child, ast.Assign) and len(child.targets) == 1:
                self._assign(child.targets[0], child.value)
            elif isinstance(child, ast.AugAssign):
                self._assign(child.target, ast.Name("…", ast.Load()))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.values.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=False):
                self._assign(one, its)


@dataclass(frozen=True)
class _Module:
    """A module: its functions, by name, and what its own names stand for."""

    path: str
    tree: ast.Module
    tables: _Function
    functions: dict[str, _Function]

    @classmethod
    def read(cls, path: Path) -> _Module:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        tables = ast.parse("def tables(): ...").body[0]
        assert isinstance(tables, ast.FunctionDef)
        tables.body = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        functions = {node.name: _Function(node) for node in nodes}
        return cls(path.relative_to(_PACKAGE).as_posix(), tree, _Function(tables), functions)


class _Source:
    """All modules, and how an expression reads as text."""

    def __init__(self) -> None:
        paths = [path for folder in _FOLDERS for path in sorted((_PACKAGE / folder).rglob("*.py"))]
        self.modules = [_Module.read(path) for path in paths]
        self._sentences = {
            name: function
            for module in self.modules
            if module.path.endswith("messages.py") or module.path in _SENTENCES
            for name, function in module.functions.items()
        }
        self._constants = {
            target.id: node.value
            for module in self.modules
            for node in module.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant | ast.JoinedStr | ast.BinOp)
        }

    def told(self) -> Iterator[tuple[str, str, str]]:
        """Reason, message and path of each place where both stand beside each other."""
        for module in self.modules:
            for function in (module.tables, *module.functions.values()):
                for node in ast.walk(function.node):
                    for reason, parts in _with_a_reason(node):
                        message = _sentences(self.text(part, function) for part in parts).translate(IN_A_JOB)
                        if len(_plain(message)) > _BRIEF:
                            yield reason, " ".join(message.split()), module.path

    def of_the_operator(self) -> Iterator[tuple[str, str]]:
        """What each function of the operator's messages is for, and what it returns."""
        for module in self.modules:
            for name, function in module.functions.items():
                if module.path.endswith("messages.py") and not name.startswith("_"):
                    about = (ast.get_docstring(function.node) or name).partition("\n")[0]
                    message = " ".join(self._returned(function, 0).split())
                    if len(_plain(message)) > _BRIEF:
                        yield about, message

    def text(self, node: ast.expr, function: _Function, deep: int = 0) -> str:  # noqa: PLR0911 (a case each)
        """An expression as its reader sees it."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=values):
                return "".join(self.text(value, function, deep) for value in values)
            case ast.FormattedValue(value=value):
                return self.text(value, function, deep + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left, function, deep) + self.text(right, function, deep)
            case ast.IfExp(body=body, orelse=orelse):
                ways = [way for way in (self.text(one, function, deep) for one in (body, orelse)) if way.strip()]
                return ways[0] if len(ways) == 1 else f"[{' | '.join(ways)}]" if ways else ""
            case ast.Call(func=ast.Name(id="joined"), args=parts):
                return _sentences(self.text(part, function, deep) for part in parts)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given) if name in self._sentences:
                called = _Function(self._sentences[name].node)
                for parameter, value in zip(called.node.args.args, given, strict=False):
                    called.values[parameter.arg] = [ast.Constant(self.text(value, function, deep + 1))]
                return self._returned(called, deep + 1) if deep < _DEEP else "…"
            case ast.Name(id=name) | ast.Attribute(attr=name) if deep < _DEEP:
                return self._named(name, node, function, deep)
        return f"«{_label(node)}»"

    def _named(self, name: str, node: ast.expr, function: _Function, deep: int) -> str:
        values = function.values.get(name, [])
        if len(values) == 1 and isinstance(node, ast.Name) and _is_text(values[0]):
            return self.text(values[0], function, deep + 1)
        if name in self._constants and name.isupper():
            return self.text(self._constants[name], function, deep + 1)
        return f"«{_label(node)}»"

    def _returned(self, function: _Function, deep: int) -> str:
        found = [node.value for node in ast.walk(function.node) if isinstance(node, ast.Return) and node.value]
        ways = [way for way in (self.text(value, function, deep) for value in found) if way.strip()]
        return ways[0] if len(ways) == 1 else f"[{' | '.join(ways)}]"


def files() -> dict[Path, str]:
    """The page, by its file."""
    source, by_reason = _Source(), dict[str, dict[str, str]]()
    for reason, message, path in source.told():
        by_reason.setdefault(reason, {}).setdefault(message, path)
    names = {reason.name: reason for reason in Reason}
    lines = [_HEADER]
    for name in sorted(by_reason, key=lambda name: names[name].value):
        lines.append(f"## {names[name].value}\n")
        lines += [f"- {_escaped(message)} <small>`{path}`</small>" for message, path in by_reason[name].items()]
        lines.append("")
    lines.append("## Messages that the operator composes\n")
    lines += [f"- *{about.rstrip('.')}*: {_escaped(text)}" for about, text in source.of_the_operator()]
    return {places.ROOT / "docs" / "messages.md": "\n".join(lines) + "\n"}


def _with_a_reason(node: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """A reason with the strings that follow it: in a call, in a tuple, or as the key of a table."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name) and key.value.id == "Reason":
                yield key.attr, [value]
    parts = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
    for number, part in enumerate(parts):
        match part:
            case ast.Attribute(value=ast.Name(id="Reason"), attr=name):
                after = [one for one in parts[number + 1 :] if not isinstance(one, ast.Starred)]
                yield name, after


def _sentences(parts: Iterable[str]) -> str:
    """Parts one after the other, each with an end, as RunFailed and `joined` put them together."""
    stripped = [part.strip() for part in parts if part.strip()]
    ended = [part if part[-1] in ".!?…:" or part is stripped[-1] else f"{part}." for part in stripped]
    return " ".join(ended)


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, str)
        case ast.BinOp(left=left):
            return _is_text(left)
        case ast.IfExp(body=body):
            return _is_text(body)
        case ast.Name(id=name):
            return name.isupper()  # a constant
    return isinstance(node, ast.JoinedStr)


def _label(node: ast.expr) -> str:  # noqa: PLR0911 (a case each)
    """What a value is, by the last name in its expression."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").replace("_", " ")
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return _label(value)
        case ast.Call(func=ast.Attribute(value=ast.Constant()), args=[part, *_]):
            return _label(part)
        case ast.Call(func=ast.Attribute(value=value, attr="lower" | "strip" | "rstrip" | "removeprefix")):
            return _label(value)
        case ast.Call(func=ast.Attribute(attr="sub"), args=[*_, part]):
            return _label(part)
        case ast.Call(func=ast.Name(), args=[part, *_]):
            return _label(part)
        case ast.Call(func=function):
            return _label(function)
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.BinOp(left=part) | ast.BoolOp(values=[part, *_]):
            return _label(part)
    return "…"


def _plain(message: str) -> str:
    return "".join(part.partition("»")[2] if number else part for number, part in enumerate(message.split("«")))


def _escaped(message: str) -> str:
    """As Markdown that shows each character."""
    for character in "\\`*_<>|[]{}#":
        message = message.replace(character, f"\\{character}")
    return message
