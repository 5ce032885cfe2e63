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
environment of its own, and its history is run on two empty databases of PostgreSQL 15: by plain Alembic to its head,
and by the runner, which applies nine tenths at once, plans the rest in a shadow, and applies the approved plan. Then
both take the last revision back. After both, all that `pg_dump` writes of the two databases is compared: schema,
owners, rights and rows, without the times and UUIDs in rows, and without regard to the order of lines. For optuna and
redun `make test` does the same, but for the way back.

No file of an application is changed. The manifest has the image, the Secret, the revision, `migrations.path`, and what
stands in the table. psycopg 3 and psycopg2 are installed beside what an application requires: the runner needs one of
them, and some applications bring asyncpg alone.

Seconds, of one run on two cores that had other work too: plain Alembic to its head; nine tenths; plan, apply and
comparison of the rest.

Not in the table, since plain Alembic's command line does not bring them from an empty database to their head:

* the first revisions expect tables: buildbot, tahrir-api, jupyterhub, rucio, and galaxy's branch `gxy`;
* statements that PostgreSQL refuses: designate, trove, whose histories are for MySQL;
* env.py needs what only the application's own command has prepared: settings that it has parsed (glance, ironic,
  magnum, manila, watcher, cyborg, keystone), attributes that it has given to Alembic's `Config` (aiida-core,
  barbican, blazar, mistral, neutron, octavia, tacker), an instance that is being upgraded (dagster), the application's
  own thread (prefect);
* conda-store-server needs a package that is not installed with it;
* apache-airflow 2 waits for itself: the application, which its env.py imports, has a transaction of its own open on the
  tables that a revision changes.

mlflow's env.py is handed a connection on both sides, and the tables that its history expects are made as its own
program makes them. superset's has Flask's application on both sides; it requires SQLAlchemy 1.4, and the runner needs
2.0. Where an ini file has no sqlalchemy.url, or another database's, plain Alembic's is set, as by the application's own
program.

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
