"""The environment of the operator, legal and illegal."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_operator.control.settings import InvalidSetting, Settings

NEEDED = {"ALEMBIC_OPERATOR_NAMESPACE": "alembic-operator", "ALEMBIC_OPERATOR_POD": "alembic-operator-5d9c-x2x4z"}


def read(**given: str) -> Settings:
    return Settings.from_env({**NEEDED, **{f"ALEMBIC_OPERATOR_{name}": value for name, value in given.items()}})


def test_defaults_hold_when_only_the_needed_variables_are_set() -> None:
    settings = Settings.from_env({**NEEDED, "PATH": "/bin"})
    assert settings == Settings("alembic-operator", "alembic-operator-5d9c-x2x4z")
    assert (settings.workers, settings.resync, settings.health_port, settings.metrics_port) == (8, 3600.0, 8080, 9090)
    assert settings.runner_file == Path("/usr/share/alembic-operator/runner.pyz")


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("WATCH_NAMESPACES", "shop, bank ,shop", "watch_namespaces", ("shop", "bank")),
        ("WATCH_NAMESPACES", "", "watch_namespaces", ()),
        ("DEVELOPMENT_NAMESPACES", "dev", "development_namespaces", ("dev",)),
        ("CLUSTER_ID", "eu-west-1/prod", "cluster_id", "eu-west-1/prod"),
        ("RUNNER_IMAGE", "10.78.1.1:5000/runner@sha256:" + "a" * 64, "runner_image", None),
        ("RUNNER_IMAGE", "registry.example/team/runner:0.1.0", "runner_image", None),
        ("RUNNER_FILE", "/opt/runner.pyz", "runner_file", Path("/opt/runner.pyz")),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("WORKERS", "1", "workers", 1),
        ("WORKERS", " 64 ", "workers", 64),
        ("WORKERS", "", "workers", 8),
        ("RESYNC", "600", "resync", 600.0),
        ("HEALTH_PORT", "18080", "health_port", 18080),
        ("METRICS_PORT", "65535", "metrics_port", 65535),
        ("LEASE", "alembic-operator.dev", "lease", "alembic-operator.dev"),
        (
            "SHADOW_IMAGES",
            '{"16": "postgres:16", "18": "10.78.1.1:5000/pg@sha256:' + "a" * 64 + '"}',
            "shadow_images",
            {16: "postgres:16", 18: "10.78.1.1:5000/pg@sha256:" + "a" * 64},
        ),
        ("SHADOW_IMAGES", "", "shadow_images", {}),
        ("ADMISSION_POLICIES", "False", "admission_policies", False),
        ("ADMISSION_POLICIES", "true", "admission_policies", True),
        ("ADMISSION_POLICIES", "", "admission_policies", True),
        ("NAMESPACE", "n" * 63, "namespace", "n" * 63),
    ],
)
def test_value_is_taken_when_it_is_legal(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(read(**{name: value}), field) == (value if expected is None else expected)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("NAMESPACE", "", "a namespace name"),
        ("NAMESPACE", "Shop", "a namespace name"),
        ("POD", "", "a pod name"),
        ("POD", "pod_1", "a pod name"),
        ("WATCH_NAMESPACES", "shop,,bank", "a comma-separated list of namespace names"),
        ("WATCH_NAMESPACES", "shop;bank", "a comma-separated list of namespace names"),
        ("DEVELOPMENT_NAMESPACES", "*", "a comma-separated list of namespace names"),
        ("CLUSTER_ID", "a b", "at most 253 letters, digits and . _ : / -"),
        ("RUNNER_IMAGE", "runner:1 --privileged", "an image reference"),
        ("RUNNER_IMAGE", "runner@sha256:abc", "an image reference"),
        ("RUNNER_FILE", "runner.pyz", "an absolute path"),
        ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR"),
        ("WORKERS", "0", "an integer from 1 to 64"),
        ("WORKERS", "eight", "an integer from 1 to 64"),
        ("WORKERS", "1e1", "an integer from 1 to 64"),
        ("RESYNC", "9", "an integer from 10 to 86400"),
        ("RESYNC", "1h", "an integer from 10 to 86400"),
        ("HEALTH_PORT", "65536", "an integer from 1 to 65535"),
        ("METRICS_PORT", "-1", "an integer from 1 to 65535"),
        ("METRICS_PORT", "8080", "a different port from ALEMBIC_OPERATOR_HEALTH_PORT"),
        ("ADMISSION_POLICIES", "yes", "true or false"),
        *(
            ("SHADOW_IMAGES", value, "a JSON object of image references by PostgreSQL's major version")
            for value in (
                "postgres:16",
                "[]",
                '{"16": 1}',
                '{"sixteen": "postgres:16"}',
                '{"9.6": "postgres:9.6"}',
                '{"016": "postgres:16"}',
                '{"16": "postgres:16 --privileged"}',
                '{"16": ""}',
                "[" * 9999,
            )
        ),
        ("LEASE", "a..b", "a Lease name"),
    ],
)
def test_variable_value_and_remedy_are_named_when_it_is_illegal(name: str, value: str, allowed: str) -> None:
    with pytest.raises(InvalidSetting) as raised:
        read(**{name: value})
    assert str(raised.value) == (
        f"invalid environment variable ALEMBIC_OPERATOR_{name}: found {value!r}; must be {allowed}"
    )


def test_absence_is_named_when_a_needed_variable_is_missing() -> None:
    with pytest.raises(InvalidSetting, match="NAMESPACE: it is not set; must be a namespace name"):
        Settings.from_env({})
