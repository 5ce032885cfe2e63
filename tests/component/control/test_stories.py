"""Whole stories: what a person does, what the cluster and the database answer, what the resource says in the end."""

from __future__ import annotations

from .story import Story


async def test_resource_is_ready_when_its_migration_succeeds() -> None:
    story = Story()
    await story.apply()
    assert story.ready() == ("Unknown", "Migrating")
    job = story.job()
    assert story.message() == f"Job {job} brings the database to revision c3."
    await story.runs()
    assert story.ready() == ("True", "UpToDate")
    assert story.message() == f"Job {job} applied 3 revisions in 0.3 s: a1, b2, c3. The database is at revision c3."
    assert story.events() == ["MigrationStarted", "MigrationSucceeded"]
    assert story.condition("Reconciling") == story.condition("Stalled") == {}
    assert story.unfinished() == []


async def test_requests_are_few_when_a_migration_succeeds() -> None:
    story = Story()
    await story.apply()
    await story.runs()
    await story.passes(600)
    requests, writes = story.cluster.requests, story.cluster.writes()
    assert len(requests) <= 12 + 1, [f"{r.verb} {r.resource}" for r in requests]  # the ConfigMap once a namespace
    assert [f"{r.verb} {r.resource}" for r in writes] == [
        "create configmaps",
        "create jobs",
        "patch databaseschemas/status",
        "create events",
        "patch databaseschemas/status",
        "create events",
    ]
