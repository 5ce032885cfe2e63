"""What Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from alembic_operator.control.serve.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (sample.name.removeprefix("alembic_operator_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_count_and_time_are_there_by_result_when_resources_were_looked_at() -> None:
    metrics = Metrics()
    metrics.reconciled("done", 0.02)
    metrics.reconciled("done", 0.04)
    metrics.reconciled("unavailable", 3)
    found = samples(metrics)
    assert found["reconcile_seconds_count", (("result", "done"),)] == 2
    assert round(found["reconcile_seconds_sum", (("result", "done"),)], 3) == 0.06
    assert found["reconcile_seconds_bucket", (("le", "0.025"), ("result", "done"))] == 1
    assert found["reconcile_seconds_count", (("result", "unavailable"),)] == 1


def test_runs_are_counted_by_kind_and_outcome_when_they_finish() -> None:
    metrics = Metrics()
    metrics.run_finished("Apply", "Succeeded", 4)
    metrics.run_finished("Check", "Failed", 400)
    found = samples(metrics)
    assert found["run_seconds_count", (("kind", "Apply"), ("outcome", "Succeeded"))] == 1
    assert found["run_seconds_sum", (("kind", "Check"), ("outcome", "Failed"))] == 400


def test_requests_are_counted_by_verb_resource_and_code_when_they_are_answered() -> None:
    metrics = Metrics()
    metrics.request("patch", "databaseschemas/status", 200, 0.01)
    metrics.request("list", "jobs", 0, 10)
    found = samples(metrics)
    patched = (("code", "200"), ("resource", "databaseschemas/status"), ("verb", "patch"))
    assert found["api_request_seconds_count", patched] == 1
    assert found["api_request_seconds_count", (("code", "0"), ("resource", "jobs"), ("verb", "list"))] == 1


def test_queue_is_asked_when_it_is_scraped_and_not_before() -> None:
    metrics, waiting = Metrics(), [0.5, 7.0]
    metrics.follow_queue(lambda: len(waiting), lambda: max(waiting))
    before = samples(metrics)
    waiting.append(9.0)
    after = samples(metrics)
    assert (before["queue_depth", ()], before["queue_oldest_age_seconds", ()]) == (2, 7)
    assert (after["queue_depth", ()], after["queue_oldest_age_seconds", ()]) == (3, 9)


def test_reasons_come_and_go_when_the_resources_change() -> None:
    metrics, resources = Metrics(), {"SchemaCurrent": 3, "LockTimeout": 1}
    metrics.follow_resources(lambda: resources)
    assert samples(metrics)["resources", (("reason", "LockTimeout"),)] == 1
    del resources["LockTimeout"]
    found = samples(metrics)
    assert found["resources", (("reason", "SchemaCurrent"),)] == 3
    assert ("resources", (("reason", "LockTimeout"),)) not in found


def test_leader_watch_and_resync_are_shown_when_they_change() -> None:
    metrics = Metrics()
    assert samples(metrics)["leader", ()] == 0
    metrics.leading(True)
    metrics.watched("Job", "ADDED")
    metrics.resynced()
    found = samples(metrics)
    assert found["leader", ()] == 1
    assert found["watch_events_total", (("event", "ADDED"), ("kind", "Job"))] == 1
    assert found["last_resync_timestamp_seconds", ()] > 1.7e9
    metrics.leading(False)
    assert samples(metrics)["leader", ()] == 0


def test_memory_and_processor_time_of_the_process_are_there_when_it_is_scraped() -> None:
    found = samples(Metrics())
    assert found["process_resident_memory_bytes", ()] > 1e6
    assert ("process_cpu_seconds_total", ()) in found


def test_two_of_them_do_not_meet_when_they_are_in_one_process() -> None:
    first, second = Metrics(), Metrics()
    first.leading(True)
    assert (samples(first)["leader", ()], samples(second)["leader", ()]) == (1, 0)
