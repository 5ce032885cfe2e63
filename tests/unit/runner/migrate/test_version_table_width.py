"""How wide the version table is made, and what a revision's text says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_operator.runner.migrate.version_table_width import fresh_width, widened_to

_FILE = """
import sqlalchemy as sa
from alembic import op
revision = "r2"


def upgrade():
    {upgrade}


def downgrade():
    {downgrade}
"""


@pytest.mark.parametrize(("ids", "width"), [([], 32), (["a" * 32], 32), (["a", "b" * 33], 255)])
def test_fresh_table_is_as_alembic_makes_it_when_the_ids_fit(ids: list[str], width: int) -> None:
    assert fresh_width(ids) == width


@pytest.mark.parametrize(
    ("upgrade", "width"),
    [
        ('op.alter_column("alembic_version", "version_num", type_=sa.String(64))', 64),
        ('op.alter_column("alembic_version", "version_num", type_=sa.String(length=128))', 128),
        ('op.alter_column("alembic_version", "version_num", type_=sa.Text())', 255),
        ('op.execute("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(100)")', 100),
        ('op.execute("ALTER TABLE alembic_version ALTER version_num TYPE character varying (80)")', 80),
        ('op.alter_column("users", "name", type_=sa.String(64))', 0),
        ('pass  # op.alter_column("alembic_version", "version_num", type_=sa.String(64))', 0),
        ("pass", 0),
    ],
)
def test_width_is_read_when_a_revision_changes_the_column(tmp_path: Path, upgrade: str, width: int) -> None:
    path = tmp_path / "r2.py"
    path.write_text(_FILE.format(upgrade=upgrade, downgrade="pass"))
    assert widened_to(path, "alembic_version") == width


def test_width_is_as_before_when_only_the_way_back_changes_the_column(tmp_path: Path) -> None:
    path = tmp_path / "r2.py"
    back = 'op.alter_column("alembic_version", "version_num", type_=sa.String(64))'
    path.write_text(_FILE.format(upgrade="pass", downgrade=back))
    assert widened_to(path, "alembic_version") == 0
