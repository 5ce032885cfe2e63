"""The spec's parser: what the CRD accepts it reads, what the CRD refuses in words it refuses in the same words."""

from __future__ import annotations

import pytest

from alembic_operator.api import duration, rules
from alembic_operator.api.review import stricter
from alembic_operator.api.spec import InvalidSpec, parse_spec

from .illegal import ILLEGAL
from .legal import LEGAL
from .manifests import IMAGE, PLAIN, Illegal, Legal, changed

IN_WORDS = [case for case in ILLEGAL if case.rule]


@pytest.mark.parametrize("case", LEGAL, ids=lambda case: case.name)
def test_spec_is_read_when_it_is_legal(case: Legal) -> None:
    raw = case.manifest["spec"]

    spec = parse_spec(raw)
    assert (spec.revision or None, spec.revisions) == (raw.get("revision"), tuple(raw.get("revisions") or ()))


@pytest.mark.parametrize("case", IN_WORDS, ids=lambda case: case.name)
def test_spec_is_refused_in_the_words_of_the_crd_when_it_breaks_a_rule(case: Illegal) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(case.manifest["spec"])

    assert (caught.value.path, caught.value.rule) == (case.path, case.rule)


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ("spec.database", "spec.database"),
        ("spec.database.secretRef", "spec.database.secretRef"),
        ("spec.database.secretRef.name", "spec.database.secretRef.name"),
        ("spec.migrations", "spec.migrations"),
    ],
)
def test_spec_is_refused_when_a_required_field_is_missing(missing: str, path: str) -> None:
    parent, _, last = missing.rpartition(".")
    raw = changed(PLAIN, {f"{parent}.{last}": None})["spec"]

    with pytest.raises(InvalidSpec, match=f"^{path}: is required$"):
        parse_spec(raw)


def test_durations_are_seconds_when_the_spec_is_read() -> None:
    raw = changed(PLAIN, {"spec.timeouts": {"lock": "1500ms", "run": "1h30m"}, "spec.retry": {"backoff": "2m"}})["spec"]

    spec = parse_spec(raw)

    assert (spec.timeouts.lock, spec.timeouts.run, spec.retry.backoff) == (1.5, 5400.0, 120.0)


@pytest.mark.parametrize("text", ["", "3", "s", "1d", "1 s", "-1s", "1.5s", "3s\n", "1234567s"])
def test_duration_is_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration.seconds(text)


@pytest.mark.parametrize(
    ("image", "pinned"),
    [(IMAGE, True), ("shop:1", False), ("shop:1@sha256:" + "a" * 64, True), ("shop:sha256-" + "a" * 64, False)],
)
def test_image_is_pinned_when_it_names_a_digest(image: str, pinned: bool) -> None:
    spec = parse_spec(changed(PLAIN, {"spec.migrations.image": image})["spec"])

    assert spec.migrations.pinned is pinned


def test_config_map_counts_as_pinned_when_it_is_the_source() -> None:
    spec = parse_spec(changed(PLAIN, {"spec.migrations": {"configMap": {"name": "shop"}}})["spec"])

    assert spec.migrations.pinned


@pytest.mark.parametrize("text", ["8b7d0e44aa10\n", " head", "head ", "8b7d\x7f", "8b7d:e44a", "it's"])
def test_revision_is_refused_when_it_holds_what_no_id_holds(text: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(changed(PLAIN, {"spec.revision": text})["spec"])

    assert caught.value.rule == rules.REVISION_RULE


@pytest.mark.parametrize(
    ("mode", "minimum", "counts"),
    [
        ("Auto", "", "Auto"),
        ("Auto", "OnFindings", "OnFindings"),
        ("OnFindings", "Required", "Required"),
        ("Required", "OnFindings", "Required"),
        ("OnFindings", "Auto", "OnFindings"),
        ("Auto", "required", "Required"),
    ],
)
def test_stricter_of_mode_and_floor_counts(mode: str, minimum: str, counts: str) -> None:
    assert stricter(mode, minimum) == counts


def test_shadow_image_is_pinned_when_it_names_a_digest_or_none_is_named() -> None:
    images = ["", "postgis:17", IMAGE]
    shadows = [
        parse_spec(changed(PLAIN, {"spec.review": {"shadow": {"image": each}}})["spec"]).review.shadow
        for each in images
    ]

    assert [shadow.pinned for shadow in shadows] == [True, False, True]
