"""Where the image has both drivers, the run is on the one that plain Alembic would take."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from alembic_operator.contract.request import ConnectionVariable, Owner, RunKind, RunRequest
from alembic_operator.runner.database.driver import find_driver
from alembic_operator.runner.database.project_driver import preferred_driver


def _request(folder: Path, *, file: str = "alembic.ini", schemes: tuple[str, ...] = ()) -> RunRequest:
    variables = [ConnectionVariable(f"URL_{number}", "uri", scheme) for number, scheme in enumerate(schemes)]
    owner = Owner("c", "shop", "db", "uid")
    return RunRequest(
        RunKind.APPLY, owner, 1, "job", "head", "s", path=str(folder), config_file=file, connection_env=variables
    )


@pytest.mark.parametrize(
    ("schemes", "written", "driver"),
    [
        ((), "postgresql+psycopg2://a@b/c", "psycopg2"),
        ((), "postgresql+psycopg://a@b/c", "psycopg"),
        (("postgresql+psycopg2",), "postgresql+psycopg://a@b/c", "psycopg2"),
        (("postgresql", "postgresql+psycopg2"), "", "psycopg2"),
        (("postgresql+asyncpg",), "postgresql+psycopg2://a@b/c", "psycopg"),
        ((), "postgresql+psycopg2://a:p%40ss@b/c", "psycopg2"),
    ],
)
def test_driver_is_the_projects_when_one_of_its_urls_names_it(
    tmp_path: Path, schemes: tuple[str, ...], written: str, driver: str
) -> None:
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nsqlalchemy.url = {written}\n")
    assert preferred_driver(_request(tmp_path, schemes=schemes)) == driver


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[alembic]\n",
        "[other]\nsqlalchemy.url = postgresql+psycopg2://\n",
        "[alembic\n= x",
        "[alembic]\na = 1\na = 2",
        "[alembic]\nsqlalchemy.url = driver://a@b/c\n",
        "[alembic]\nsqlalchemy.url = mysql+psycopg2://a@b/c\n",
    ],
)
@pytest.mark.parametrize(("version", "driver"), [("2.0.0", "psycopg2"), ("2.0.51", "psycopg2"), ("2.1.0b1", "psycopg")])
def test_driver_is_that_of_sqlalchemy_when_no_url_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: str, driver: str
) -> None:
    monkeypatch.setattr(metadata, "version", {"SQLAlchemy": version}.__getitem__)
    (tmp_path / "alembic.ini").write_text(text)
    assert preferred_driver(_request(tmp_path)) == driver
    assert preferred_driver(_request(tmp_path, file="missing.ini")) == driver


def test_secrets_driver_counts_when_the_project_names_another() -> None:
    assert find_driver("psycopg", "psycopg2").name == "psycopg"
    assert find_driver("", "psycopg2").name == "psycopg2"
    assert find_driver("", "").name == "psycopg"
