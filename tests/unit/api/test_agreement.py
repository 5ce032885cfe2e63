"""The Python types and the CRD agree: fields, defaults, patterns, and every rule word for word."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from alembic_operator.api import duration, names, review, rules
from alembic_operator.api import spec as api_spec
from alembic_operator.api import status as api_status
from alembic_operator.api.status_bounds import CONDITION_MESSAGE_LIMIT
from alembic_operator.contract.request import RunKind

from .crd import CRD, FIELDS, VERSION
from .crd import rules as crd_rules
from .manifests import PLAIN

WITHOUT_THE_OBJECT = {  # rules that need the name or the former object, which the spec's parser does not see
    "metadata.name must be at most 63 lower-case letters, digits and hyphens: it becomes a label and part of the names "
    "of Jobs",
    "baseline cannot be changed or removed once it is set. To set another, delete the DatabaseSchema, which "
    "leaves the database as it is, and create it anew",
}
RENAMED = {"from_revisions": "from", "to_revisions": "to", "config_map": "configMap"}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return RENAMED.get(name, head + "".join(part.capitalize() for part in rest))


def dataclass_paths(cls: type[Any], path: str) -> set[str]:
    """The paths of a dataclass and of those inside it; a list of them counts with `[]`."""
    found = set()
    for name, kind in get_type_hints(cls).items():
        below = f"{path}.{camel(name)}"
        found.add(below)
        for part in (kind, *get_args(kind)):
            if is_dataclass(part) and isinstance(part, type):
                found |= dataclass_paths(part, below + ("[]" if "tuple" in str(kind) else ""))
    return found


def known_to_crd(path: str) -> set[str]:
    return {p for p in FIELDS if p.startswith(f"{path}.") and not p.endswith(("[]", "{}"))}


def test_spec_types_and_crd_have_the_same_fields() -> None:
    raw_in_python = ("spec.job.", "spec.migrations.pullSecrets[]", "spec.migrations.configMap.")
    shape = {f"spec.job.{camel(f.name)}" for f in fields(api_spec.JobShape)}
    top = {p for p in dataclass_paths(api_spec.Spec, "spec") if not p.startswith("spec.job.")}

    assert top == {p for p in known_to_crd("spec") if not p.startswith(raw_in_python)}
    assert shape == {p for p in known_to_crd("spec.job") if p.count(".") == 2 and p[-1] not in "]}"}


def test_status_types_and_crd_have_the_same_fields() -> None:
    assert dataclass_paths(api_status.Status, "status") == known_to_crd("status")


def defaulted(path: str) -> Any:
    """The value that the API server fills in, with the defaults of the fields below."""
    schema = FIELDS[path]
    if "properties" not in schema:
        return schema.get("default")
    return {key: defaulted(f"{path}.{key}") for key in schema["properties"] if "default" in FIELDS[f"{path}.{key}"]}


def test_parser_reads_the_same_from_a_bare_spec_as_from_one_that_the_api_server_defaulted() -> None:
    bare = PLAIN["spec"]
    full = {
        **{key: defaulted(f"spec.{key}") for key in FIELDS["spec"]["properties"] if "default" in FIELDS[f"spec.{key}"]},
        "database": {"secretRef": {**defaulted("spec.database.secretRef"), **bare["database"]["secretRef"]}}
        | defaulted("spec.database"),
        "migrations": bare["migrations"] | defaulted("spec.migrations"),
        "revision": bare["revision"],
    }

    assert full["timeouts"]["lock"] == "3s"
    assert full["review"]["shadow"] == {"image": "", "runAsUser": 999}
    assert api_spec.parse_spec(full) == api_spec.parse_spec(bare)


@pytest.mark.parametrize(
    ("name", "default"),
    [("path", "/app"), ("python", "python3"), ("configFile", "alembic.ini"), ("section", "alembic")],
)
def test_operators_default_is_the_one_that_the_crd_describes(name: str, default: str) -> None:
    migrations = vars(api_spec.parse_spec(PLAIN["spec"]).migrations)

    assert migrations[{"configFile": "config_file"}.get(name, name)] == default
    assert f"The operator's default is `{default}`." in FIELDS[f"spec.migrations.{name}"]["description"]


def test_rules_of_crd_and_parser_are_the_same_words() -> None:
    ours = {value for name, value in vars(rules).items() if name.isupper() and isinstance(value, str) and " " in value}

    assert set(crd_rules()) - WITHOUT_THE_OBJECT == ours


@pytest.mark.parametrize(
    "pattern",
    [
        rules.REVISION.pattern,
        rules.IDENTIFIER.pattern,
        rules.REFERENCE.pattern,
        rules.PINNED.pattern,
        rules.TAGGED.pattern,
        rules.INTERPRETER.pattern,
        rules.KEY.pattern,
        rules.DIGEST.pattern,
        rules.RESERVED_VARIABLE.pattern,
        rules.RESERVED_MOUNT.pattern,
        duration.PATTERN,
    ],
)
def test_pattern_of_the_parser_stands_in_a_rule_of_the_crd(pattern: str) -> None:
    written = [rule["rule"] for schema in FIELDS.values() for rule in schema.get("x-kubernetes-validations", [])]

    literal = pattern.replace("\\", "\\\\")  # in a string of CEL
    assert any(f"matches('{literal}')" in rule for rule in written)


def test_rules_of_a_review_are_those_that_make_findings() -> None:
    named = [rule["rule"] for rule in FIELDS["spec.review.rules"]["x-kubernetes-validations"]]

    assert [set(re.findall(r"'([a-z-]{5,})'", rule)) - {"error"} for rule in named] == [
        set(review.RULE_IDS), set(review.NEVER_LOWERED),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("spec.review.mode", review.MODES),
        ("spec.review.failOn", review.FAIL_ON),
        ("spec.review.evidence", review.EVIDENCE),
        ("spec.review.network", review.NETWORKS),
        ("spec.review.rules{}", review.SEVERITIES),
    ],
)
def test_words_of_a_review_are_those_that_the_parser_knows(path: str, known: tuple[str, ...]) -> None:
    assert tuple(FIELDS[path]["enum"]) == known


def test_durations_have_the_parsers_pattern_for_tools_that_read_no_rules() -> None:
    durations = [f"spec.timeouts.{name}" for name in FIELDS["spec.timeouts"]["properties"]] + ["spec.retry.backoff"]

    assert {FIELDS[path]["pattern"] for path in durations} == {duration.PATTERN}


def test_names_of_crd_and_operator_are_the_same() -> None:
    spec = CRD["spec"]

    assert (spec["group"], VERSION["name"], spec["names"]["kind"], spec["names"]["plural"]) == (
        names.GROUP, names.VERSION, names.KIND, names.PLURAL,
    )  # fmt: skip


def test_bounds_of_status_are_those_that_the_operator_keeps() -> None:
    assert FIELDS["status.conditions[].message"]["maxLength"] == CONDITION_MESSAGE_LIMIT
    assert FIELDS["status.history"]["maxItems"] == api_status.HISTORY_LIMIT
    assert FIELDS["status.lastHandledRetryAt"]["maxLength"] >= names.TOKEN_LIMIT
    assert FIELDS["status.lastHandledReconcileAt"]["maxLength"] >= names.TOKEN_LIMIT
    assert FIELDS["status.run.kind"]["enum"] == [kind.value for kind in RunKind]
