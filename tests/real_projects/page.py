"""docs/real-projects.md, from what was found."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .applications import APPLICATIONS
from .steps import DONE, Followed

_KEPT = Path(__file__).with_name("results.json")
_PAGE = Path(__file__).parents[2] / "docs" / "real-projects.md"
_HEAD = """# Histories of real applications

Written by `make real-projects` (`NAME=optuna` for one of them). Each application is installed from PyPI into an
environment of its own. Its history runs on two empty databases of PostgreSQL 15. Plain Alembic migrates the first one
to the head. The runner migrates the second one: it applies nine tenths of the history at once, plans the rest in a
shadow, and applies the approved plan. Then both revert the last revision. After both steps, everything that `pg_dump`
writes of the two databases is compared: schema, owners, privileges and rows, except for times and UUIDs in rows and for
the order of lines. For optuna and redun `make test` does the same, except for the last revision's downgrade.

No file of an application is changed. The manifest has the image, the Secret, the revision, `migrations.path`, and the
fields in the table. psycopg 3 and psycopg2 are installed in addition to an application's requirements, because the
runner needs one of them, and some applications require only asyncpg.

The seconds are those of one run on two cores that had other work too: plain Alembic to the head; nine tenths; plan,
apply and comparison of the rest. Messages in the table are quoted as the measured version wrote them.

These applications are not in the table, because plain Alembic's command line does not migrate an empty database to
their head:

* the first revisions expect tables: buildbot, tahrir-api, jupyterhub, rucio, and galaxy's branch `gxy`;
* PostgreSQL refuses statements: designate and trove, whose histories are for MySQL;
* env.py needs something that only the application's own command prepares: parsed settings (glance, ironic,
  magnum, manila, watcher, cyborg, keystone), attributes of Alembic's `Config` (aiida-core,
  barbican, blazar, mistral, neutron, octavia, tacker), an instance that is being upgraded (dagster), the application's
  own thread (prefect);
* conda-store-server needs a package that is not installed with it;
* apache-airflow 2 blocks itself: the application, which its env.py imports, keeps a transaction open on the
  tables that a revision changes.

On both sides, mlflow's env.py gets a connection, and mlflow's own program creates the tables that its history expects.
On both sides, superset gets Flask's application; it requires SQLAlchemy 1.4, and the runner needs 2.0. If an ini file
has no sqlalchemy.url, or one for another database, it is set for plain Alembic, as the application's own program does.

| application | revisions | in the manifest | at the head | one back | seconds |
|---|---|---|---|---|---|
"""
_EQUAL = {DONE: "equal", "": ""}


def keep(found: Followed) -> bool:
    """Keep what was found for the next time; whether every step that was equal the last time is equal again."""
    kept = _read()
    before = kept.get(found.name, {})
    now = asdict(found)
    kept[found.name] = {**now, "measured": datetime.now(UTC).strftime("%Y-%m-%d")}
    _KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return all(now[step] == DONE for step in ("plain", "up", "planned", "back") if before.get(step) == DONE)


def line(found: Followed) -> str:
    """One row of the table."""
    failed = next((said for said in (found.plain, found.up, found.planned) if said != DONE), DONE)
    times = ", ".join(str(found.seconds[name]) for name in ("plain", "up", "planned") if name in found.seconds)
    cells = [
        f"{found.name} {found.version}",
        str(found.revisions or ""),
        "; ".join(found.fields),
        _EQUAL.get(failed, failed),
        _EQUAL.get(found.back, found.back),
        times,
    ]
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def write() -> None:
    """Write the page."""
    kept = _read()
    found = [kept[one.name] for one in APPLICATIONS if one.name in kept]
    rows = [line(Followed(**{name: value for name, value in one.items() if name != "measured"})) for one in found]
    days = sorted({str(one["measured"]) for one in found})
    measured = " to ".join(days[:1] + days[1:][-1:])
    equal = sum(one["planned"] == DONE for one in found)
    back = sum(one["back"] == DONE for one in found)
    tail = f"{equal} of {len(found)} are equal at the head, {back} after one revision back. Measured {measured}."
    _PAGE.write_text(_HEAD + "\n".join(rows) + f"\n\n{tail}\n")


def _read() -> dict[str, dict[str, Any]]:
    return json.loads(_KEPT.read_text()) if _KEPT.exists() else {}
