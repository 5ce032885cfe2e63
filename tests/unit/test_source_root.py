"""`operator/` is a source root and never a package: the standard library has a module of that name."""

from __future__ import annotations

import operator
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_operator_is_the_standard_librarys_when_it_is_imported() -> None:
    assert operator.__file__ is not None
    assert Path(operator.__file__).parent == Path(sysconfig.get_path("stdlib"))
    assert operator.add(1, 2) == 3


def test_source_root_holds_packages_and_is_none() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert (ROOT / "operator" / "alembic_operator" / "__init__.py").exists()
