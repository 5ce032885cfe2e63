"""Group, version, kind, and every label and annotation that the operator reads or writes."""

from __future__ import annotations

GROUP = "alembic-operator.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "DatabaseSchema"
PLURAL = "databaseschemas"
PLAN_KIND = "SchemaPlan"
PLAN_PLURAL = "schemaplans"

FIELD_MANAGER = "alembic-operator"

LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_COMPONENT = "app.kubernetes.io/component"
LABEL_APP = "app.kubernetes.io/name"
MANAGED_BY = "alembic-operator"

# On Jobs and, through the pod template, on their pods; on SchemaPlans and their ConfigMaps: whose they are.
LABEL_UID = f"{GROUP}/schema-uid"
LABEL_SCHEMA = f"{GROUP}/schema"
LABEL_KIND = f"{GROUP}/run-kind"

# On SchemaPlans: a hash over what of the spec the plan hangs on.
LABEL_REQUEST = f"{GROUP}/request"

# On Jobs.
ANNOTATION_GENERATION = f"{GROUP}/generation"
ANNOTATION_ATTEMPT = f"{GROUP}/attempt"
ANNOTATION_TRIGGER = f"{GROUP}/trigger"

# On namespaces.
LABEL_ENVIRONMENT = f"{GROUP}/environment"
DEVELOPMENT = "development"
LABEL_MINIMUM_REVIEW = f"{GROUP}/minimum-review"  # Required or OnFindings: no review.mode below it counts

# On DatabaseSchemas, by people and tools.
ANNOTATION_RECONCILE_AT = f"{GROUP}/reconcile-at"
ANNOTATION_RETRY_AT = f"{GROUP}/retry-at"
ANNOTATION_TAKE_OVER = f"{GROUP}/take-over"
TOKEN_LIMIT = 253  # characters of reconcile-at and retry-at that count: as many as the status can repeat
