"""The applications, and what each needs."""

from __future__ import annotations

from alembic_operator.contract.request import ConnectionVariable

from .application import DRIVERS, Application, url

# What `mlflow` does with an empty database before it upgrades it.
_MLFLOW_FIRST = """
import sys
from sqlalchemy import create_engine
from mlflow.store.tracking.dbmodels.initial_models import Base
Base.metadata.create_all(create_engine(sys.argv[1]))
"""


# What `alembic init` writes of logging: many an env.py reads it.
_LOGGING = """
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic
[formatter_generic]
format = %(levelname)s %(message)s
"""


def _ini(script_location: str) -> str:
    return f"[alembic]\nscript_location = {script_location}\n{_LOGGING}"


APPLICATIONS = (
    Application("optuna", "optuna/storages/_rdb"),
    Application(
        "dstack",
        "dstack/_internal/server",
        ("dstack[server]", "asyncpg", *DRIVERS),
        connection_env=url("DSTACK_DATABASE_URL", "postgresql+asyncpg"),
        driver="asyncpg",
    ),
    Application("redun", ini=_ini("redun:backends/db/alembic"), driver="psycopg2"),
    Application("buildbot", "buildbot/db/migrations"),
    Application("meltano", ini=_ini("meltano:migrations")),
    Application("trulens-core", ini=_ini("trulens.core.database:migrations")),
    Application("zuul", "zuul/driver/sql"),
    Application(
        "prefect",
        "prefect/server/database",
        ("prefect", *DRIVERS),
        connection_env=url("PREFECT_API_DATABASE_CONNECTION_URL", "postgresql+asyncpg"),
        driver="",
    ),
    Application(
        "fractal-server",
        "fractal_server",
        connection_env=(
            ConnectionVariable("POSTGRES_HOST", "host"),
            ConnectionVariable("POSTGRES_PORT", "port"),
            ConnectionVariable("POSTGRES_DB", "name"),
            ConnectionVariable("POSTGRES_USER", "user"),
            ConnectionVariable("POSTGRES_PASSWORD", "password"),
        ),
        driver="",
    ),
    Application(
        "arize-phoenix",
        "phoenix/db",
        ("arize-phoenix[pg]", "psycopg[binary]"),
        connection_env=url("PHOENIX_SQL_DATABASE_URL"),
        driver="",
    ),
    Application(
        "mlflow-skinny",
        config_file="mlflow/store/db_migrations/alembic.ini",
        requirements=("mlflow-skinny", "alembic", "SQLAlchemy", *DRIVERS),
        first=_MLFLOW_FIRST,
        connection=True,
    ),
    Application("galaxy-data", "galaxy/model/migrations", x=("gxy_url={uri}", "tsi_url={uri}"), target="gxy@head"),
)
