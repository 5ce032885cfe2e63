"""The project, loaded in the order in which Alembic meets it: configuration, env.py, revisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...contract.reasons import Reason
from ...contract.request import RunRequest
from ..database.driver import RawConnection
from ..database.session import TargetSession, Wanted, with_path
from ..environment.variables import set_variables
from ..errors import RunFailed
from ..history.imports import check_alembic
from ..terms import VERSION_TABLE_NAME, VERSION_TABLE_SCHEMA

if TYPE_CHECKING:
    from ..database.sessions import Sessions
    from ..history.load import History


@dataclass(frozen=True)
class Project:
    """The project as it was loaded.

    Attributes:
        session: what the migrating session is, once env.py has set it up.
        wanted: the version table as the spec or env.py names it.
        makes: schemas that env.py makes.
    """

    history: History
    session: TargetSession
    wanted: Wanted
    makes: frozenset[str]


def load(request: RunRequest, sessions: Sessions, session: TargetSession, connection: RawConnection) -> Project:
    """Learn what env.py configures, and import the revisions.

    Args:
        request: what is asked for.
        sessions: env.py runs on one that can write nothing.
        session: what the migrating session is before env.py.
        connection: that session.

    Raises:
        RunFailed: AlembicMissing, AlembicTooOld, InvalidSpec, EnvironmentFailed, InvalidHistory.
    """
    check_alembic()
    # From here on what the image has is imported, which the check above has found.
    from ..environment.configuration import pose_as_alembic  # noqa: PLC0415
    from ..environment.dialects import redirect_engines  # noqa: PLC0415
    from ..environment.environments import environment_of  # noqa: PLC0415
    from ..environment.learning import learn  # noqa: PLC0415
    from ..environment.lending import Lender  # noqa: PLC0415
    from ..history.load import load_history, open_project  # noqa: PLC0415
    from ..history.steps import destination  # noqa: PLC0415
    from ..migrate.declaration_order import keep_declaration_order  # noqa: PLC0415

    keep_declaration_order()
    pose_as_alembic()

    secret, driver = sessions.secret, sessions.driver
    set_variables(request.connection_env, secret)
    project = open_project(request, secret)
    lender = Lender(driver, secret, request.secret_name)
    redirect_engines(lender)
    environment = environment_of(request, project.configuration, project.script, lender)
    histories: list[History] = []
    learned = learn(
        environment,
        driver,
        lambda reader: sessions.open(read_only=True, listener=reader),
        destination(request.wanted),
        lambda: histories.append(load_history(request, project, environment)),
    )
    wanted = Wanted(
        _agreed("name", learned.version_table, request.version_table),
        _agreed("schema", learned.version_table_schema, request.version_table_schema),
    )
    if learned.search_path:
        session = with_path(connection, session, learned.search_path, learned.role, learned.makes)
    elif learned.makes:
        session = replace(session, search_path=session.search_path.with_made(learned.makes))
    return Project(histories[-1], session, wanted, learned.makes)


def _agreed(part: str, configured: str, wanted: str) -> str:
    """What env.py configures, and what the spec says where env.py does not."""
    if configured and wanted not in (configured, ""):
        field = VERSION_TABLE_SCHEMA if part == "schema" else VERSION_TABLE_NAME
        raise RunFailed(
            Reason.INVALID_SPEC,
            f'Comparing {field} "{wanted}" with env.py, which configures "{configured}": '
            "they name different version tables. Nothing was sent. Remove the field from the spec, because env.py "
            "takes precedence, or correct env.py.",
        )
    return configured or wanted
