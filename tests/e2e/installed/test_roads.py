"""A database on its way to a revision, from wherever it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from . import histories
from .place import STALLED, Place


def test_database_reaches_the_revision_when_a_resource_is_applied(place: Place) -> None:
    place.apply("plain", "a3")

    status = place.wait("UpToDate")

    done = "Job shop/1 applied 3 revisions in SECONDS: a1, a2, a3. The database is at revision a3."
    assert place.message() == done
    assert place.conditions() == {"Ready": ("True", "UpToDate")}
    assert place.told("MigrationStarted", "MigrationSucceeded") == [
        ("Normal", "MigrationStarted", "Job shop/1 is migrating the database to revision a3."),
        ("Normal", "MigrationSucceeded", done),
    ]
    assert status["currentRevisions"] == place.revisions() == ["a3"]
    assert (status["current"], status["targetRevision"], status["pendingRevisions"]) == ("a3", "a3", 0)
    assert status["database"]["engine"] == "PostgreSQL"
    assert [(entry["from"], entry["to"], entry["outcome"]) for entry in status["history"]] == [
        ("<base>", "a3", "Applied")
    ]
    assert "run" not in status


def test_database_goes_on_when_the_revision_changes(place: Place) -> None:
    place.apply("plain", "a1")
    place.wait("UpToDate")

    place.patch(revision="a3")

    status = place.wait("UpToDate")
    assert place.message() == "Job shop/2 applied 2 revisions in SECONDS: a2, a3. The database is at revision a3."
    assert [(entry["from"], entry["to"]) for entry in status["history"]] == [("a1", "a3"), ("<base>", "a1")]


def test_nothing_is_applied_when_the_database_is_there_already(place: Place) -> None:
    place.apply("plain", "a2")
    place.wait("UpToDate")

    place.patch(retry={"backoff": "2s"})

    place.wait("UpToDate", message="read by Job")
    assert place.message() == "The database is at revision a2, read by Job shop/2."
    assert place.told("MigrationStarted", "MigrationSucceeded", "MigrationStarted")


def test_database_stays_ahead_when_an_older_revision_is_declared(place: Place) -> None:
    place.apply("plain", "a3")
    place.wait("UpToDate")

    place.patch(revision="a1")

    status = place.wait("SchemaAhead")
    assert place.conditions() == {"Ready": ("True", "SchemaAhead"), "SchemaAhead": ("True", "SchemaAhead")}
    assert place.message() == (
        "The database is at revision a3, which is newer than spec.revision a1, so no migration runs. Set "
        "spec.revision to the database's revision, or leave it to keep the older release declared."
    )
    assert (status["current"], place.revisions()) == ("a3", ["a3"])


def test_database_is_adopted_when_plain_alembic_migrated_it_until_now(place: Place, tmp_path: Path) -> None:
    histories.write(tmp_path)
    environment = {**os.environ, "DATABASE_URL": place.uri()}
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "a2"],
        cwd=tmp_path / "plain",
        env=environment,
        check=True,
        capture_output=True,
    )

    place.apply("plain", "a3")

    place.wait("UpToDate")
    assert place.message() == (
        "Job shop/1 applied 1 revision in SECONDS: a3. The database is at revision a3. "
        "Its schema was not compared with the history: see the condition Verified."
    )
    assert place.condition("Verified")["status"] == "Unknown"
    journal = "SELECT revision, state FROM alembic_operator.revision_journal ORDER BY id"
    assert place.rows(journal) == [("a1", "adopted"), ("a2", "adopted"), ("a3", "done")]


def test_live_schema_is_left_alone_until_base_is_meant(place: Place) -> None:
    place.execute("CREATE TABLE visitors (id int)")
    place.apply("plain", "a1")

    place.wait("BaselineRequired")

    assert place.conditions() == {"Ready": ("False", "BaselineRequired"), "Stalled": ("True", "BaselineRequired")}
    assert re.sub("sha256:[0-9a-f]{64}", "HASH", place.message()) == (
        "Looking for the database's revision in public.alembic_version: it has no row, but the database has tables "
        "(public.visitors). Nothing was sent, because migrating a live schema from base would break it. To start "
        "from base, set spec.baseline to {revisions: []}; if the schema is at a revision, name it in "
        f"spec.baseline. The schema's fingerprint is HASH. {STALLED}"
    )
    assert place.rows("SELECT to_regclass('orders')::text") == [(None,)]
    place.patch(baseline={"revisions": []})
    place.wait("UpToDate")
    assert place.revisions() == ["a1"]


def test_nothing_starts_while_a_resource_is_suspended(place: Place) -> None:
    place.apply("plain", "a1", suspend=True)

    place.wait("Suspended")

    assert place.conditions() == {"Ready": ("False", "Suspended")}
    assert place.message() == "spec.suspend is true, so no Job starts. Set it to false to resume."
    assert place.jobs() == []
    place.patch(suspend=False)
    place.wait("UpToDate")
    assert place.revisions() == ["a1"]
