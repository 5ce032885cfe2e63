"""Names and places inside the Job's pod that the operator and the runner must agree on."""

from __future__ import annotations

RUNNER_DIRECTORY = "/alembic-operator"
RUNNER_FILE = "runner.pyz"
RUNNER_PATH = RUNNER_DIRECTORY + "/" + RUNNER_FILE
SECRET_DIRECTORY = "/alembic-operator-secret"
MIGRATIONS_DIRECTORY = "/alembic-operator-migrations"
PLAN_DIRECTORY = "/alembic-operator-plan"  # the parts of an approved plan's guard: GUARD_FILE + "0", "1", …
GUARD_FILE = "guard-"
SHADOW_DIRECTORY = "/alembic-operator-shadow"  # memory-backed, shared by runner and shadow: socket, settings, marks
SHADOW_DATA_DIRECTORY = "/alembic-operator-shadow-data"  # the shadow's own
TERMINATION_LOG = "/dev/termination-log"
TERMINATION_LOG_LIMIT = 4096  # bytes; the kubelet cuts longer messages

REQUEST_VARIABLE = "ALEMBIC_OPERATOR_RUN"
JOB_UID_VARIABLE = "ALEMBIC_OPERATOR_JOB_UID"

RECORD_PREFIX = "@alembic-operator "

CONTAINER = "migration"
SHADOW_CONTAINER = "alembic-operator-shadow"

# Files in SHADOW_DIRECTORY. The runner writes the first (libpq's variables as `export` lines, mode 0600); the shadow's
# script writes one of the other two: empty, or one sentence that says why there is no shadow.
SHADOW_SOURCE_FILE = "source"
SHADOW_READY_FILE = "ready"
SHADOW_FAILED_FILE = "failed"
SHADOW_DATABASE = "alembic_operator_shadow"
SHADOW_USER = "postgres"

# Two-int advisory locks: the first says whose they are, the second is a hash of the version table.
LOCK_CLASS = 0x616C656D  # "alem"
BOOTSTRAP_LOCK_CLASS = 0x616C6562  # "aleb": the journal's schema, one a database

JOURNAL_SCHEMA = "alembic_operator"
