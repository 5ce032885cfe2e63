"""What a plan was made from, as one value: computed when it is made, and again under the lock before it is applied.

docs/digests.md tells what each part is. It holds no credential, time or tag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import alembic
import sqlalchemy

from ...contract.request import RunRequest
from ...contract.version import VERSION

if TYPE_CHECKING:
    from ..database.driver import Driver
    from ..database.search_path import SearchPath
    from ..database.session import VersionTable
    from .graph import Graph, RevisionFile
    from .load import History


def inputs_of(
    request: RunRequest,
    *,
    server_version: str,
    identity: str,
    journal_id: int,
    from_revisions: Sequence[str],
    to_revisions: Sequence[str],
    direction: str,
    version_table: VersionTable,
    search_path: SearchPath,
    history: History,
    driver: Driver,
    bundle: str,
    settles: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The inputs of a plan, ready for contract.digests.inputs_digest.

    Args:
        request: what steers the run.
        server_version: as the server has it, like `18.1`; its major version counts.
        identity: of the database, as in the result.
        journal_id: the journal's newest id when it was planned; 0 for none.
        from_revisions: version rows when it was planned.
        to_revisions: version rows when the plan is done.
        direction: of contract.plan.Direction.
        version_table: where the version rows are.
        search_path: of the migrating session.
        history: of the image.
        driver: of the image.
        bundle: digest over the files.
        settles: facts of a Baseline or Repair (settling.Settlement); None for the other directions.
    """
    inputs = {
        "engine": {"name": "PostgreSQL", "major": major_version(server_version)},
        "database": identity,
        "schema": request.target.uid,
        "journal": journal_id,
        "from": sorted(from_revisions),
        "to": sorted(to_revisions),
        "direction": direction,
        "revisions": [_describe(file) for file in _files(history.graph, [*from_revisions, *to_revisions])],
        "bundle": bundle,
        "image": request.image,
        "steering": {
            "role": request.role,
            "searchPath": search_path.told,
            "missingSchemas": search_path.told_missing,
            "versionTable": version_table.history,
            "path": request.path,
            "python": request.python,
            "configFile": request.config_file,
            "environment": request.environment,
            "env": sorted(request.env_names),
            **request.of_env_py,
        },
        "versions": {
            "runner": VERSION,
            "alembic": alembic.__version__,
            "sqlalchemy": sqlalchemy.__version__,
            "driver": f"{driver.name} {_first_word(driver.module.__version__)}",
        },
    }
    return inputs if settles is None else {**inputs, "settles": settles}


def major_version(server_version: str) -> int:
    """18 of `18.1`, `18beta1` and `18.1 (Debian …)`."""
    found = re.match(r"[0-9]+", server_version)
    return int(found.group()) if found else 0


def _files(graph: Graph, revisions: Sequence[str]) -> list[RevisionFile]:
    """From base up to the revisions, oldest first."""
    return [graph.files[one] for one in graph.oldest_first(graph.ancestors(revisions)) if one in graph.files]


def _describe(file: RevisionFile) -> dict[str, Any]:
    return {
        "id": file.revision,
        "down": list(file.down),
        "depends": list(file.depends),
        "file": file.path,
        "sha256": file.sha256,
    }


def _first_word(text: str) -> str:
    return text.partition(" ")[0]  # psycopg2 names the features that it was built with, too
