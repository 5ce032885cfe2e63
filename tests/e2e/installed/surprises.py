"""Histories with a way back or with waivers, and those whose second revision does in the database something else.

Each begins with a table `orders` of a good shape, so that the first revision gives no finding.
"""

from __future__ import annotations

from pathlib import Path

from tests.component.runner.project import Project

FETCHED = "SCRIPT_URL"  # environment of the history `fetching`

ORDERS = (
    "CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), note text,"
    " created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now())"
)
REGION = "ALTER TABLE orders ADD COLUMN region text"
GONE = "DROP TABLE orders"

_FETCHING = f"""
import os
from urllib.request import urlopen
with urlopen(os.environ[{FETCHED!r}], timeout=5) as answer:
    op.execute(answer.read().decode())
"""

_CONCURRENT = """
with op.get_context().autocommit_block():
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY ux_orders_note ON orders (note)")
"""

_READING = """
for (note,) in op.get_bind().exec_driver_sql("SELECT DISTINCT note FROM orders"):
    op.execute(f"INSERT INTO orders (note) VALUES ('copy of {note}')")
"""

_WAIVER = """
- rule: destructive
  object: public.orders.note
  reason: no release reads it
  expires: {expires}
"""


def write(folder: Path) -> None:
    """Write every history into `folder`."""
    _reversible(Project(folder / "reversible"))
    _waived(Project(folder / "waived"), "2999-12-31")
    _waived(Project(folder / "expired"), "2020-01-01")
    _two_steps(Project(folder / "reading"), _READING)
    _two_steps(Project(folder / "fetching"), _FETCHING)
    _two_steps(Project(folder / "concurrent"), _CONCURRENT)
    _two_steps(Project(folder / "committing"), f"op.execute({REGION + '; COMMIT; ' + GONE!r})")


def _reversible(project: Project) -> None:
    project.add("a1", f"op.execute({ORDERS!r})", downgrade=f"op.execute({GONE!r})")
    project.add("a2", f"op.execute({REGION!r})", downgrade="op.execute('ALTER TABLE orders DROP COLUMN region')")


def _waived(project: Project, expires: str) -> None:
    project.sql("a1", ORDERS)
    drop, back = "ALTER TABLE orders DROP COLUMN note", "ALTER TABLE orders ADD COLUMN note text"
    file = project.add("a2", f"op.execute({drop!r})", downgrade=f"op.execute({back!r})")
    file.with_suffix(".review.yaml").write_text(_WAIVER.format(expires=expires))


def _two_steps(project: Project, second: str) -> None:
    project.sql("a1", ORDERS)
    project.add("a2", second)
