"""Faults in the command-line tool, the helpers, the chart and the CRDs."""

from __future__ import annotations

from ..mutant import Mutant

TOOLS: tuple[Mutant, ...] = (
    Mutant(
        "warnings count whatever --fail-on says",
        "cli/review.py",
        'counted = {Severity.ERROR} if fail_on == "error" else {Severity.ERROR, Severity.WARNING}',
        "counted = {Severity.ERROR, Severity.WARNING}",
        "tests/unit/cli/test_review.py",
    ),
    Mutant(
        "a fault of a waiver does not count",
        "cli/review.py",
        "bool(self.waiver_faults) or any(one.severity",
        "any(one.severity",
        "tests/unit/cli/test_review.py",
    ),
    Mutant(
        "a rule that is given twice takes the last",
        "cli/arguments.py",
        "if rule in found:",
        "if found.get(rule) == severity:",
        "tests/unit/cli/test_arguments.py",
    ),
    Mutant(
        "the scratch database may be of another version",
        "cli/scratch.py",
        "if ours != theirs:",
        "if int(ours) < int(theirs):",
        "tests/component/cli/test_plan.py::test_refuses_when_the_shadow_has_another_version",
    ),
    Mutant(
        "the target's roles stay in the scratch server",
        "cli/scratch.py",
        "made.append(role)",
        "made[:] = []",
        "tests/component/cli/test_plan.py::test_makes_the_targets_roles_and_drops_them_again",
    ),
    Mutant(
        "psql has the password in its arguments",
        "cli/server.py",
        '"user": self.target.user,',
        '"user": self.target.user, "password": self.target.password,',
        "tests/component/cli/test_plan.py::test_shows_no_password_to_the_list_of_processes",
    ),
    Mutant(
        "an index of another definition is taken for ours",
        "helpers/alembic_operator_helpers/indexes.py",
        "if _meaning(definition) != _meaning(existing.definition):",
        "if builder is None and not definition:",
        "tests/component/helpers/test_indexes.py",
    ),
    Mutant(
        "an INVALID index counts as built",
        "helpers/alembic_operator_helpers/indexes.py",
        "if existing.valid:",
        "if existing.oid:",
        "tests/component/helpers/test_indexes.py",
    ),
    Mutant(
        "a backfill forgets rows behind its position",
        "helpers/alembic_operator_helpers/backfills.py",
        "batches, in_turn = 0, 0 if position.after is None else 1",
        "batches, in_turn = 0, 0",
        "tests/component/helpers/test_backfills.py",
    ),
    Mutant(
        "two sessions backfill one table",
        "helpers/alembic_operator_helpers/backfills.py",
        'if not value(connection, f"SELECT pg_try_advisory_lock({LOCK_CLASS}, hashtext({key}))"):',
        'if value(connection, "SELECT false"):',
        "tests/component/helpers/test_backfills.py",
    ),
    Mutant(
        "a CHECK reads the table under its strongest lock",
        "helpers/alembic_operator_helpers/columns.py",
        '({condition}) NOT VALID")',
        '({condition})")',
        "tests/component/helpers/test_columns.py",
    ),
    Mutant(
        "a helper is written out with --sql",
        "helpers/alembic_operator_helpers/blocks.py",
        "if context.as_sql or context.connection is None:",
        "if context.connection is None and not context.as_sql:",
        "tests/unit/helpers/test_blocks.py",
    ),
    Mutant(
        "the operator's container can write to its image",
        "deploy/install.yaml",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "tests/unit/chart/test_install.py",
    ),
    Mutant(
        "pods of any kind run beside the operator",
        "deploy/install.yaml",
        "pod-security.kubernetes.io/enforce: restricted",
        "pod-security.kubernetes.io/enforce: baseline",
        "tests/unit/chart/test_install.py",
    ),
    Mutant(
        "a rule weighs less in the policy than in the review",
        "deploy/install.yaml",
        "[''fk-index'', ''snake-case'', ''uuid-pk'', ''timestamps'']",
        "[''fk-index'', ''destructive'', ''snake-case'', ''uuid-pk'', ''timestamps'']",
        "tests/unit/chart/test_install.py",
    ),
    Mutant(
        "the API server fills in other evidence than the operator",
        "crds/alembic-operator.dev_databaseschemas.yaml",
        "default: Shadow",
        "default: Static",
        "tests/unit/api/test_agreement.py",
    ),
    Mutant(
        "an object that nobody has looked at is ready",
        "crds/alembic-operator.dev_databaseschemas.yaml",
        "default: {observedGeneration: -1}",
        "default: {observedGeneration: 0}",
        "tests/unit/api/test_crd.py",
    ),
)
