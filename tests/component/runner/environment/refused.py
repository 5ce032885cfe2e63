"""What env.py files do that cannot be done for one database in one transaction a revision, and the sentence for it."""

from __future__ import annotations

from dataclasses import replace

from .shape import Shape

_ENGINE = """
from alembic import context
from sqlalchemy import create_engine, engine_from_config

config = context.config
engine = engine_from_config(config.get_section(config.config_ini_section))
"""
_MULTIDB = Shape(
    "a database for each engine of the multidb template",
    """
from alembic import context
from sqlalchemy import engine_from_config

config = context.config
for name in config.get_main_option("databases").split(","):
    engine = engine_from_config(config.get_section(name))
    with engine.connect() as connection:
        context.configure(connection=connection, upgrade_token=f"{name}_upgrades")
        with context.begin_transaction():
            context.run_migrations(engine_name=name)
""",
    ini="""
    databases = engine1,engine2

    [engine1]
    sqlalchemy.url = postgresql+psycopg://app:hunter2@db.example/orders

    [engine2]
    sqlalchemy.url = postgresql+psycopg://app:hunter2@db.example/stock
    """,
    message='database "orders" on db.example:5432',
)

REFUSED = (
    _MULTIDB,
    Shape(
        "another database",
        """
from alembic import context
from sqlalchemy import create_engine

with create_engine("postgresql+psycopg://app:hunter2@db.example:6543/sales").connect() as connection:
    context.configure(connection=connection)
    context.run_migrations()
""",
        message='database "sales" on db.example:6543',
    ),
    Shape(
        "the revisions twice",
        _ENGINE
        + """
with engine.connect() as connection:
    for schema in ("north", "south"):
        context.configure(connection=connection, version_table_schema=schema)
        with context.begin_transaction():
            context.run_migrations()
""",
        message="calls context.run_migrations() more than once",
    ),
    Shape(
        "the revisions in a savepoint",
        _ENGINE
        + """
with engine.begin() as connection, connection.begin_nested():
    context.configure(connection=connection)
    context.run_migrations()
""",
        message="runs the revisions inside of a savepoint (connection.begin_nested())",
    ),
    Shape(
        "a connection of its own that the server does not take",
        """
import psycopg
from alembic import context
from sqlalchemy import create_engine, make_url

url = make_url(context.config.get_main_option("sqlalchemy.url"))
engine = create_engine(
    "postgresql+psycopg://", creator=lambda: psycopg.connect(host=url.host, port=url.port, user=url.username)
)
with engine.connect() as connection:
    context.configure(connection=connection)
    context.run_migrations()
""",
        message="its own connection (made by a driver, or by an engine's `creator`) failed",
    ),
    Shape(
        "no revision",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
""",
        message="never calls context.run_migrations()",
    ),
    Shape(
        "rows of the version table without their revisions",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.get_context().stamp(context.script, "head")
        context.run_migrations()
""",
        message="it calls stamp, which writes version rows without running their revisions",
    ),
    Shape(
        "a stamp for a database that is new",
        _ENGINE
        + """
from alembic import command
from sqlalchemy import inspect, text

with engine.connect() as connection:
    if not inspect(connection).has_table("account"):
        connection.execute(text("CREATE TABLE account (id int)"))
        connection.commit()
        command.stamp(config, "head")
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        message="it calls a command of Alembic (alembic.command), which runs env.py again",
    ),
    Shape(
        "SQL for somebody else to run",
        _ENGINE
        + """
context.configure(dialect_name="postgresql", as_sql=True)
with context.begin_transaction():
    context.run_migrations()
""",
        message="offline",
    ),
    Shape(
        "a module that is missing",
        """
import shop_models
"""
        + _ENGINE,
        message="the module shop_models is missing",
    ),
    Shape(
        "a file that is missing",
        """
from pathlib import Path
settings = Path("/run/secrets/shop.toml").read_text()
"""
        + _ENGINE,
        message="/run/secrets/shop.toml",
    ),
    Shape(
        "a variable that is missing",
        """
import os
url = os.environ["SHOP_DSN"]
"""
        + _ENGINE,
        message="SHOP_DSN",
    ),
    replace(
        _MULTIDB,
        name="settings by pydantic that are missing",
        env="""
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    shop_user: str
    shop_dsn: str

Settings()
""",
        ini="",
        message="SHOP_DSN, SHOP_USER",
    ),
)
