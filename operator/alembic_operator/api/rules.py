"""The rules of a spec in words, the same words as in the CRD, and the error that carries them.

tests/unit/api holds the two together: the CRD refuses at admission, the operator refuses what an older CRD let through.
"""

from __future__ import annotations

import re
from typing import Any

from alembic_operator.api.codec import Unreadable

# What Alembic 1.13 and newer take on their command lines (tried), printable, without spaces at the ends.
REVISION = re.compile(
    r"^[^\x00-\x20\x27+,:@\x7f-\xa0-]([^\x00-\x1f\x27+,:@\x7f-\x9f-]{0,253}[^\x00-\x20\x27+,:@\x7f-\xa0-])?$"
)
IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$")
REFERENCE = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?(@sha256:[a-f0-9]{64})?$")
PINNED = re.compile(r"@sha256:[a-f0-9]{64}$")
TAGGED = re.compile(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
INTERPRETER = re.compile(r"^[A-Za-z0-9_./+-]+$")
KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
DIGEST = re.compile(r"^sha256:[a-f0-9]{64}$")
RESERVED_VARIABLE = re.compile(r"^(PYTHON|LD_|PG|ALEMBIC_)")
ARGUMENT = re.compile(r"^[A-Za-z0-9_.-]+(=.*)?$")
RESERVED_OF_CONNECTION = re.compile(
    r"^(?!(?:PGHOST|PGPORT|PGDATABASE|PGUSER|PGPASSWORD)$)(PYTHON|LD_|PG|ALEMBIC_OPERATOR_)"
)
RESERVED_MOUNT = re.compile(r"^/*((alembic-operator.*|dev|proc|sys)(/.*)?|tmp/*)?$")

REVISION_RULE = (
    "revision must be one full Alembic revision id (at most 255 characters, none of them @ - + : , or a quote, no "
    "space at its ends), head or heads"
)
ONE_TARGET = "set exactly one of spec.revision and spec.revisions"
REVISIONS_RULE = "each of revisions must be a full Alembic revision id, named once, and not head, heads or base"
IDENTIFIER_RULE = (
    "must be a plain SQL identifier: a letter or underscore, then letters, digits and underscores, at most 63"
)

ONE_SOURCE = "set exactly one of migrations.image and migrations.configMap"
IMAGE_ONLY = (
    "path, python, configFile, environment, section, x, connectionEnv and pullSecrets belong to migrations.image; "
    "remove them when configMap is set"
)
REFERENCE_RULE = "an image reference must have the form registry/name:tag or registry/name@sha256:<64 hex>"
UNTAGGED = "an image needs a digest (name@sha256:<64 hex>) or, in development namespaces, a tag"
PATH_RULE = "migrations.path must be an absolute path without `..`, such as /app"
PYTHON_RULE = "migrations.python must be a name such as python3 or an absolute path, without arguments"
CONFIG_FILE_RULE = "migrations.configFile must be relative to migrations.path and without `..`"
ARGUMENT_RULE = "an item of migrations.x must have the form key=value"
CONNECTION_RESERVED = (
    "names that begin with PYTHON, LD_ or ALEMBIC_OPERATOR_ are not allowed in migrations.connectionEnv; of "
    "libpq's, only PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD are"
)
SCHEME_RULE = "scheme is allowed only with the part uri"

BASELINE_REVISION = "each of baseline.revisions must be a full Alembic revision id, and not head, heads or base"
BASELINE_FINGERPRINT = (
    "baseline.fingerprint requires at least one of baseline.revisions: it is the schema's fingerprint at them"
)

DIGEST_RULE = "a digest must have the form sha256:<64 hex>"
REVIEW_RULE_NAMES = "review.rules must name rules of docs/rules.md by their ids, such as fk-index"
REVIEW_NEVER_LOWERED = (
    "transaction-escape, multiple-heads, inserted-revision and edited-revision are always errors; remove them from "
    "review.rules"
)

DURATION_RULE = "must be a duration such as 3s, 10m or 1h30m"
AT_MOST_A_WEEK = "a duration must be at most 168h, one week"
RUN_ABOVE_ZERO = "timeouts.run must be more than 0s: a run without a limit could hold its lock forever"
LOCK_ABOVE_ZERO = "timeouts.lock must be more than 0s: a migration that waits forever for a lock blocks every reader"
BACKOFF_RULE = "retry.backoff must be more than 0s and at most 10m, the longest delay between two retries"

KEY_RULE = "a key must be an optional DNS name with a slash, then at most 63 letters, digits, `-`, `_` and `.`"
POD_LABELS_RULE = (
    "labels that begin with alembic-operator.dev/ or batch.kubernetes.io/, and app.kubernetes.io/managed-by, "
    "are set by the operator and by Kubernetes"
)
POD_ANNOTATIONS_RULE = "annotations that begin with alembic-operator.dev/ are set by the operator"
ENV_RESERVED = (
    "names that begin with PYTHON, LD_, PG or ALEMBIC_ are not allowed in job.env: they would change what runs or "
    "where it connects"
)
ENV_ONE_VALUE = "set exactly one of value and valueFrom"
ENV_ONE_REF = "set exactly one of secretKeyRef and configMapKeyRef"
VOLUME_NAME = "volume names that begin with alembic-operator are reserved for the operator"
VOLUME_ONE_SOURCE = "a volume must be exactly one of secret, configMap, emptyDir and csi"
MOUNT_VOLUME = "each of job.volumeMounts must name one of job.volumes"
MOUNT_PATH = "mountPath must be an absolute path without `..` and `:`"
MOUNT_RESERVED = "/, /tmp, /dev, /proc, /sys and paths that begin with /alembic-operator are reserved"
MOUNT_SUB_PATH = "subPath must be relative and without `..`"
SIDECAR_NAME = "the name migration is reserved for the operator's container"
PROBE_ONE_WAY = "a startupProbe must be exactly one of exec, httpGet, tcpSocket and grpc"


class InvalidSpec(Unreadable):
    """A spec that the operator cannot act on: its path names the field, its rule says what to write instead."""


def require(holds: bool, path: str, rule: str) -> None:
    """Refuse the field at `path` where its rule does not hold."""
    if not holds:
        raise InvalidSpec(path, rule)


def check_image(image: Any, path: str) -> None:
    """Refuse what is no image reference, and one that names neither a digest nor a tag."""
    require(isinstance(image, str) and REFERENCE.fullmatch(image) is not None, path, REFERENCE_RULE)
    require(PINNED.search(image) is not None or TAGGED.search(image) is not None, path, UNTAGGED)
