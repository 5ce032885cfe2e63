"""The run request for a resource: the spec in the words of the contract."""

from __future__ import annotations

from dataclasses import replace

from alembic_operator.api.spec import Spec
from alembic_operator.contract.canonical_json import digest
from alembic_operator.contract.request import Approved, ConnectionVariable, Owner, RunKind, RunRequest, Timeouts
from alembic_operator.core.job.review import shadow_image
from alembic_operator.core.model.installation import Installation
from alembic_operator.core.model.observed import DatabaseSchema
from alembic_operator.core.status.conditions import verification_said


def build_request(
    schema: DatabaseSchema,
    spec: Spec,
    kind: RunKind,
    job: str,
    *,
    replace_owner: str,
    installation: Installation,
    approved: Approved | None = None,
) -> RunRequest:
    """What the runner in that Job is asked to do."""
    migrations, timeouts = spec.migrations, spec.timeouts
    reader = spec.database.review_secret_ref if kind is not RunKind.APPLY else None
    secret = reader or spec.database.secret_ref
    database = schema.status.database
    return RunRequest(
        kind=kind,
        target=Owner(installation.cluster, schema.namespace, schema.name, schema.uid),
        generation=schema.generation,
        job=job,
        revision=spec.revision,
        revisions=sorted(spec.revisions),
        secret_name=secret.name,
        secret_key=secret.key,
        search_path=list(spec.database.search_path),
        review_credentials=reader is not None,
        migrating_search_path=list(database.search_path) if reader and database else [],
        role=spec.database.role,
        path=migrations.path,
        config_file="" if migrations.config_map else migrations.config_file,
        version_table=migrations.version_table.name,
        version_table_schema=migrations.version_table.schema,
        image=migrations.image,
        baseline=None if spec.baseline is None else list(spec.baseline.revisions),
        baseline_fingerprint=spec.baseline.fingerprint if spec.baseline else "",
        allow_downgrade=spec.allow_downgrade,
        evidence=spec.review.evidence,
        network=spec.review.network,
        shadow_image=shadow_image(spec, database.version if database else "", installation)
        if kind is RunKind.PLAN and spec.review.evidence == "Shadow"
        else "",
        python=migrations.python,
        environment=migrations.environment,
        section=migrations.section,
        x=list(migrations.x),
        connection_env=[ConnectionVariable(one.name, one.part, one.scheme) for one in migrations.connection_env],
        env_names=sorted(str(item["name"]) for item in spec.job.env),
        approved=approved,
        verification=verification_said(schema.status) if kind is RunKind.APPLY else None,
        timeouts=Timeouts(timeouts.lock, timeouts.statement, timeouts.idle_in_transaction, timeouts.run),
        replace_owner=replace_owner,
    )


def request_mark(schema: DatabaseSchema, spec: Spec, installation: Installation) -> str:
    """32 hex digits over all of the spec that a plan hangs on: a plan with this mark need not be made again for it.

    A hint that saves runs: what may run is decided by the runner, which computes the inputs again under the lock.
    """
    request = build_request(schema, spec, RunKind.PLAN, "", replace_owner="", installation=installation)
    asked = replace(request, generation=0, timeouts=Timeouts(), shadow_image=spec.review.shadow.image)
    return digest({"request": asked.to_json(), "configMap": spec.migrations.config_map}).removeprefix("sha256:")[:32]
