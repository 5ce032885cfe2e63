"""What SQLAlchemy keeps in sets is sent in the order of declaration: each run is a process of its own."""

from __future__ import annotations

import subprocess
import sys

_SENT = """
import random
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
import io
{keep}
ballast = [bytes(random.randrange(9999)) for _ in range(random.randrange(500))]  # objects lie elsewhere each time
names = ["b", "a", "d", "c", "f", "e"]
sent = []
context = MigrationContext.configure(dialect_name="postgresql", opts={{"as_sql": True, "output_buffer": io.StringIO()}})
context.impl.static_output = lambda text: sent.append(text)
op = Operations(context)
op.create_table("t", *[sa.Column(n, sa.Integer, sa.CheckConstraint(n + " > 0"), sa.CheckConstraint(n + " < 9"),
                                 index=True) for n in names])
op.add_column("t", sa.Column("x", sa.Integer, sa.ForeignKey("b.x", name="x1"), sa.ForeignKey("a.x", name="x2"),
                             sa.ForeignKey("c.x", name="x3"), unique=True, index=True))
metadata = sa.MetaData()
for one, other in (("left", "right"), ("right", "left")):
    sa.Table(one, metadata, sa.Column("id", sa.Integer, primary_key=True),
             *[sa.Column(n, sa.ForeignKey(other + ".id", name=one + "_" + n), index=True) for n in names])
def note(sql, *_more, **_options):
    sent.append(str(sql.compile(dialect=engine.dialect)))
engine = sa.create_mock_engine("postgresql://", note)
copied = sa.MetaData()
for table in metadata.tables.values():
    table.to_metadata(copied)
for made in (metadata, copied):
    made.create_all(engine, checkfirst=False)
    made.drop_all(engine, checkfirst=False)
print(";".join(sent))
"""
_KEEP = """
from alembic_operator.runner.migrate.declaration_order import keep_declaration_order
keep_declaration_order()
keep_declaration_order()
"""


def _sent(keep: str) -> str:
    text = _SENT.format(keep=keep)
    return subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout


def test_statements_are_the_same_in_each_process_when_the_order_of_declaration_is_kept() -> None:
    first = _sent(_KEEP)
    assert {_sent(_KEEP) for _ in range(3)} == {first}
    at = [first.index(f"CREATE INDEX ix_t_{name} ") for name in ("b", "a", "d", "c", "f", "e")]
    assert at == sorted(at)
    keys = [first.index(f"CONSTRAINT left_{name} ") for name in ("b", "a", "d", "c", "f", "e")]
    assert keys == sorted(keys)


def test_statements_are_the_same_ones_when_the_order_is_left_to_chance() -> None:
    assert sorted(_sent("")) == sorted(_sent(_KEEP))
