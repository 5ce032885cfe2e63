"""The files of the bundle in the image, as contract.bundle finds them in CI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...contract.bundle import BundleError, bundle_files
from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..alembic_private import version_locations
from ..errors import RunFailed
from ..terms import AND_A_NEW_IMAGE

if TYPE_CHECKING:
    from .load import History


def files_of(request: RunRequest, history: History) -> dict[str, bytes]:
    """The files of the bundle, by path.

    Raises:
        RunFailed: InvalidHistory, where it holds what may not be in one.
    """
    script = history.script
    directory = Path(script.dir)
    ini = Path(request.path) / request.config_file if request.config_file else None
    locations = version_locations(script)
    try:
        return bundle_files(directory, locations, Path(request.path) if ini else directory, ini)
    except BundleError as error:
        raise RunFailed(
            Reason.INVALID_HISTORY,
            f"Hashing the migration files: {error}",
            f"Put the file itself there{AND_A_NEW_IMAGE}.",
        ) from None
