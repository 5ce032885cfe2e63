"""One JSON object a line, whoever writes it."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from alembic_operator.control.serve import log


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers[:], level = before
    root.setLevel(level)
    for name in log.QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_names_resource_job_and_reason_when_they_are_bound(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    with log.bound(namespace="shop", name="shop-db"):
        log.get("alembic_operator.control.reconcile.reconcile").info(
            "status written", job="shop-db-1", reason="SchemaCurrent"
        )
    log.get("other").info("idle")
    first, second = lines(stream)
    assert first.pop("timestamp").endswith("Z")
    assert list(first.items()) == [
        ("level", "info"),
        ("event", "status written"),
        ("namespace", "shop"),
        ("name", "shop-db"),
        ("job", "shop-db-1"),
        ("reason", "SchemaCurrent"),
        ("logger", "alembic_operator.control.reconcile.reconcile"),
    ]
    assert "namespace" not in second


def test_stdlib_lines_are_json_with_what_is_bound_when_a_library_logs(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    with log.bound(namespace="shop", name="shop-db"):
        logging.getLogger("kopf._core.reactor").warning("stream of %s ended", "jobs")
    (line,) = lines(stream)
    assert (line["level"], line["event"], line["logger"]) == ("warning", "stream of jobs ended", "kopf._core.reactor")
    assert (line["namespace"], line["name"]) == ("shop", "shop-db")


def test_object_is_named_when_kopf_names_it_in_the_record(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    reference = {"k8s_ref": {"namespace": "shop", "name": "shop-db", "uid": "1"}}
    logging.getLogger("kopf.objects").error("handler failed", extra=reference)
    (line,) = lines(stream)
    assert (line["namespace"], line["name"], line["event"]) == ("shop", "shop-db", "handler failed")


def test_traceback_is_one_field_of_one_line_when_an_exception_is_logged(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    try:
        raise ValueError("broken\nin two lines")
    except ValueError:
        log.get("x").exception("reconcile failed")
        logging.getLogger("y").exception("stdlib failed")
    ours, theirs = lines(stream)
    assert (ours["level"], ours["event"]) == ("error", "reconcile failed")
    assert "ValueError: broken\nin two lines" in ours["exception"]
    assert "ValueError: broken\nin two lines" in theirs["exception"]


def test_nothing_below_the_level_is_written_when_it_is_set(stream: io.StringIO) -> None:
    log.configure("WARNING", stream)
    log.get("x").info("quiet")
    logging.getLogger("y").info("quiet")
    logging.getLogger("kopf.objects").info("quiet")
    assert stream.getvalue() == ""
    log.get("x").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_kopfs_line_for_each_event_is_left_out_when_the_level_is_info(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    logging.getLogger("kopf.objects").info("Handler 'seen' succeeded.")
    logging.getLogger("kopf.activities").info("Initial authentication has finished.")
    assert [line["logger"] for line in lines(stream)] == ["kopf.activities"]


def test_each_line_is_written_once_when_it_is_configured_twice(stream: io.StringIO) -> None:
    before = io.StringIO()
    log.configure("INFO", before)
    log.configure("INFO", stream)
    log.get("x").info("once")
    assert (before.getvalue(), len(lines(stream))) == ("", 1)


def test_python_warnings_are_lines_when_a_library_warns(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "old way" in lines(stream)[0]["event"]
    assert lines(stream)[0]["logger"] == "py.warnings"


def test_values_that_json_does_not_know_are_texts_when_they_are_logged(stream: io.StringIO) -> None:
    log.configure("INFO", stream)
    log.get("x").info("odd", value={1}, path=object)
    assert lines(stream)[0]["value"] == "{1}"
