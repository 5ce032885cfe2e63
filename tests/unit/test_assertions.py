"""Every test says what it expects: by `assert`, `raises`, or a function of the tests that does."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

_TESTS = Path(__file__).parents[1]
_LEAVES = (ast.Name, ast.Constant, ast.expr_context, ast.operator, ast.cmpop, ast.alias, ast.arg)  # two of three nodes


@dataclass
class Function:
    """What is read of a function: whether it expects something itself, and what it calls."""

    expects: bool = False
    names: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)

    def is_known(self, names: set[str], methods: set[str]) -> bool:
        """Whether it asserts something, or calls one of these that does."""
        return self.expects or not names.isdisjoint(self.names) or not methods.isdisjoint(self.methods)


class Module:
    """A file of tests: its functions, and what it takes from other files of tests by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.functions: dict[str, Function] = {}
        self.methods: list[tuple[str, Function]] = []
        self.imported: dict[str, str] = {}
        self._read(ast.parse(path.read_text()), ())

    def _read(self, node: ast.AST, around: tuple[Function, ...]) -> None:
        """Read every node once, for all the functions around it."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _LEAVES):
                continue
            within = around
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.functions[child.name] = Function()
                    within = (*around, self.functions[child.name])
                    if isinstance(node, ast.ClassDef):
                        self.methods.append((child.name, within[-1]))
                case ast.ImportFrom() if child.level or (child.module or "").startswith("tests"):
                    self.imported |= {(name.asname or name.name): name.name for name in child.names}
                case ast.Call(func=ast.Name(id=name)):
                    for function in around:
                        function.names.add(name)
                case ast.Call(func=ast.Attribute(attr=name)):
                    for function in around:
                        function.methods.add(name)
                case ast.Assert() | ast.withitem() if _expects(child):
                    for function in around:
                        function.expects = True
            self._read(child, within)


def _expects(node: ast.Assert | ast.withitem) -> bool:
    return isinstance(node, ast.Assert) or "raises" in ast.unparse(node.context_expr)


def silent(modules: list[Module]) -> list[str]:
    """Tests that expect nothing, with their files."""
    known: set[str] = set()  # names of functions that expect something; grows until it is whole
    shared: set[str] = set()  # methods of helpers that do; a test file's own classes are its own business
    while True:
        before = len(known) + len(shared)
        for module in modules:
            own = {name for name in module.functions if f"{module.path}:{name}" in known}
            taken = {name for name, origin in module.imported.items() if f"*:{origin}" in known}
            methods = {name for name, function in module.methods if function.is_known(own | taken, shared)}
            for name, function in module.functions.items():
                if function.is_known(own | taken, methods | shared):
                    known |= {f"{module.path}:{name}", f"*:{name}"}
            if not module.path.name.startswith("test_"):
                shared |= methods
        if len(known) + len(shared) == before:
            break
    return [
        f"{module.path.name}::{name}"
        for module in modules
        if module.path.name.startswith("test_")
        for name in module.functions
        if name.startswith("test_") and f"{module.path}:{name}" not in known
    ]


def test_no_test_expects_nothing() -> None:
    assert silent([Module(path) for path in sorted(_TESTS.rglob("*.py"))]) == []


def test_silent_test_is_found_when_its_helper_only_has_the_name_of_one_that_asserts(tmp_path: Path) -> None:
    asserts, silent_ = tmp_path / "test_a.py", tmp_path / "test_b.py"
    asserts.write_text("def _run():\n    assert 1\n\n\ndef test_a():\n    _run()\n")
    silent_.write_text("def _run():\n    pass\n\n\ndef test_b():\n    _run()\n")
    assert silent([Module(asserts), Module(silent_)]) == ["test_b.py::test_b"]
