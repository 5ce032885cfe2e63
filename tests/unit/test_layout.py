"""The folders of the tests are those of the packages, and a test that is named after a module is in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "alembic_operator"
UNIT, RUNNER = ROOT / "tests" / "unit", ROOT / "tests" / "component" / "runner"
PACKAGES = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())


def folders_with_tests(top: Path) -> set[Path]:
    return {path.parent.relative_to(top) for path in top.rglob("test_*.py")}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_folder_of_unit_tests_is_a_packages(package: str) -> None:
    assert [one for one in folders_with_tests(UNIT / package) if not (PACKAGE / package / one).is_dir()] == []


def test_each_folder_of_the_runners_component_tests_is_a_packages() -> None:
    assert [one for one in folders_with_tests(RUNNER) if not (PACKAGE / "runner" / one).is_dir()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_unit_test_is_beside_its_module_when_it_has_the_name_of_one(package: str) -> None:
    modules: dict[str, set[Path]] = {}
    for path in (PACKAGE / package).rglob("*.py"):
        modules.setdefault(path.stem, set()).add(path.parent.relative_to(PACKAGE))
    astray = [
        path.relative_to(UNIT).as_posix()
        for path in (UNIT / package).rglob("test_*.py")
        if (homes := modules.get(path.stem.removeprefix("test_"))) and path.parent.relative_to(UNIT) not in homes
    ]
    assert astray == []
