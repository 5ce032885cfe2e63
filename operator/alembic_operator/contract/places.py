"""Names and places inside the Job's pod that the operator and the runner must agree on."""

from __future__ import annotations

RUNNER_DIRECTORY = "/alembic-operator"
RUNNER_FILE = "runner.pyz"
RUNNER_PATH = RUNNER_DIRECTORY + "/" + RUNNER_FILE
SECRET_DIRECTORY = "/alembic-operator-secret"
MIGRATIONS_DIRECTORY = "/alembic-operator-migrations"
TERMINATION_LOG = "/dev/termination-log"
TERMINATION_LOG_LIMIT = 4096  # bytes; the kubelet cuts longer messages

REQUEST_VARIABLE = "ALEMBIC_OPERATOR_RUN"
JOB_UID_VARIABLE = "ALEMBIC_OPERATOR_JOB_UID"

RECORD_PREFIX = "@alembic-operator "

CONTAINER = "migration"

# Two-int advisory locks: the first says whose they are, the second is a hash of the version table.
LOCK_CLASS = 0x616C656D  # "alem"
BOOTSTRAP_LOCK_CLASS = 0x616C6562  # "aleb": the journal's schema, one a database

JOURNAL_SCHEMA = "alembic_operator"
