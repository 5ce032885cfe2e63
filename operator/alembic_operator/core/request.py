"""The run request for a resource: the spec in the words of the contract."""

from __future__ import annotations

from alembic_operator.api.spec import Spec
from alembic_operator.contract.request import Owner, RunKind, RunRequest, Timeouts

from .context import Context
from .observed import Schema


def build_request(
    schema: Schema, spec: Spec, kind: RunKind, job: str, *, replace_owner: str, context: Context
) -> RunRequest:
    """What the runner in that Job is asked to do."""
    migrations, timeouts = spec.migrations, spec.timeouts
    return RunRequest(
        kind=kind,
        target=Owner(context.cluster, schema.namespace, schema.name, schema.uid),
        generation=schema.generation,
        job=job,
        revision=spec.revision,
        secret_name=spec.database.secret_ref.name,
        secret_key=spec.database.secret_ref.key,
        search_path=list(spec.database.search_path),
        role=spec.database.role,
        path=migrations.path,
        config_file="" if migrations.config_map else migrations.config_file,
        version_table=migrations.version_table.name,
        version_table_schema=migrations.version_table.schema,
        image=migrations.image,
        baseline=None if spec.baseline is None else list(spec.baseline.revisions),
        timeouts=Timeouts(timeouts.lock, timeouts.statement, timeouts.idle_in_transaction, timeouts.run),
        replace_owner=replace_owner,
    )
