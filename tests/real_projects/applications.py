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


# CKAN pins what it needs in an extra, with a psycopg2 that has to be compiled.
_CKAN = (
    *("ckan", "alembic", "SQLAlchemy<2.1", "blinker", "flask", "flask-babel", "flask-login", "msgspec", "passlib"),
    *("requests", "simplejson"),
    *DRIVERS,
)

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


def _ini(script_location: str, more: str = "") -> str:
    return f"[alembic]\nscript_location = {script_location}\n{more}\n{_LOGGING}"


APPLICATIONS = (
    Application("optuna", "optuna/storages/_rdb", requirements=("optuna>=5,<6", *DRIVERS)),
    Application(
        "dstack",
        "dstack/_internal/server",
        ("dstack[server]", "asyncpg", *DRIVERS),
        connection_env=url("DSTACK_DATABASE_URL", "postgresql+asyncpg"),
        driver="asyncpg",
    ),
    Application("meltano", ini=_ini("meltano:migrations")),
    Application("trulens-core", ini=_ini("trulens.core.database:migrations", "trulens.table_prefix = trulens_")),
    Application("zuul", "zuul/driver/sql"),
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
        job_env={"JWT_SECRET_KEY": "needed by the settings"},
        driver="",
    ),
    Application(
        "mlflow-skinny",
        config_file="mlflow/store/db_migrations/alembic.ini",
        requirements=("mlflow-skinny", "alembic", "SQLAlchemy", *DRIVERS),
        first=_MLFLOW_FIRST,
        by="connection",
    ),
    Application(
        "redun",
        requirements=("redun[postgres]>=0.44,<0.45", *DRIVERS),
        config_file="redun/backends/db/alembic.ini",
        connection_env=(
            ConnectionVariable("REDUN_DB_USERNAME", "user"),
            ConnectionVariable("REDUN_DB_PASSWORD", "password"),
        ),
        password_in_url=False,
    ),
    Application(
        "argilla-server",
        "argilla_server",
        requirements=("argilla-server[postgresql]", *DRIVERS),
        connection_env=url("ARGILLA_DATABASE_URL", "postgresql+asyncpg"),
        driver="",
        password="letters",
    ),
    Application(
        "arize-phoenix",
        "phoenix/db",
        requirements=("arize-phoenix[pg]", "greenlet", *DRIVERS),
        driver="asyncpg",
    ),
    Application(
        "open-webui",  # it requires torch: 7 GB
        "open_webui",
        job_env={"WEBUI_SECRET_KEY": "needed by the settings", "DATA_DIR": "{home}"},
        driver="",
    ),
    Application("cinder", "cinder/db"),
    Application("nova", "nova/db/main"),
    Application("openstack-heat", "heat/db"),
    Application("masakari", "masakari/db/sqlalchemy"),
    Application("aodh", "aodh/storage/sqlalchemy/alembic"),
    Application(
        "openstack-placement",
        "placement/db/sqlalchemy",
        connection_env=url("OS_PLACEMENT_DATABASE__CONNECTION"),
        driver="",
    ),
    Application(
        "gnocchi",
        "gnocchi/indexer/alembic",
        requirements=("gnocchi[postgresql]", *DRIVERS),
        connection_env=url("OS_INDEXER__URL", "postgresql+psycopg2"),
        driver="",
    ),
    Application("langflow-base", "langflow", requirements=("langflow-base", "greenlet", *DRIVERS), driver="psycopg"),
    Application(
        "apache-airflow",
        "airflow",
        requirements=("apache-airflow", "asyncpg", *DRIVERS),
        connection_env=url("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2"),
        job_env={"AIRFLOW_HOME": "{home}"},
        driver="",
    ),
    Application("ckan", "ckan/migration", requirements=_CKAN),
    Application(
        "datajunction-server",
        "datajunction_server",
        requirements=("datajunction-server", "greenlet", *DRIVERS),
        x=("uri=$(DATABASE_URL)",),
        driver="",
    ),
    Application(
        "galaxy-data",
        "galaxy/model/migrations",
        target="tsi@head",
        x=("gxy_url=$(DATABASE_URL)", "tsi_url=$(DATABASE_URL)"),
        driver="",
    ),
    Application(
        "apache-superset",
        config_file="superset/migrations/alembic.ini",
        requirements=("apache-superset", "flask-caching<2.4", *DRIVERS),
        connection_env=url("SUPERSET__SQLALCHEMY_DATABASE_URI", "postgresql+psycopg2"),
        job_env={"FLASK_APP": "superset.app:create_app()", "SUPERSET_SECRET_KEY": "needed by the settings"},
        by="flask",
        driver="",
    ),
    Application("zou", "zou/migrations", job_env={"SECRET_KEY": "needed by the settings: 0123456789"}),
)

QUICK = tuple(one for one in APPLICATIONS if one.name in ("optuna", "redun"))
