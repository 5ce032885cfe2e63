"""How env.py files come to their connection."""

from __future__ import annotations

from .shape import Shape

_END = """
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
# Without an autocommit block: what no transaction may hold, between statements that are in one.
_CONCURRENT = (
    (
        """
        op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
        op.execute("INSERT INTO account VALUES (1, 'a')")
        """,
        'op.drop_table("account")',
    ),
    (
        """
        op.execute("INSERT INTO account VALUES (2, 'b')")
        op.create_index("account_name", "account", ["name"], postgresql_concurrently=True)
        with op.get_context().autocommit_block():
            op.execute("VACUUM account")
        op.add_column("account", sa.Column("state", sa.Text))
        """,
        """
        op.drop_column("account", "state")
        op.drop_index("account_name", postgresql_concurrently=True)
        op.execute("DELETE FROM account WHERE id = 2")
        """,
    ),
)

CONNECTIONS = (
    Shape(
        "an engine from a variable",
        """
        import os
        from alembic import context
        from sqlalchemy import create_engine

        engine = create_engine(os.environ["DATABASE_URL"])
        with engine.begin() as connection:
            context.configure(connection=connection)
            context.run_migrations()
        """,
        environ={"DATABASE_URL": "{url}"},
    ),
    Shape(
        "an async engine by asyncpg",
        """
        import asyncio
        import os
        from alembic import context
        from sqlalchemy import text
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

        def migrate(connection):
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()

        async def main():
            settings = {"server_settings": {"search_path": "app", "jit": "off"}}
            engine = create_async_engine(os.environ["DATABASE_URL"], connect_args=settings)
            async with engine.begin() as connection:
                await connection.execute(text("CREATE SCHEMA IF NOT EXISTS app"))
                await connection.execute(text("CREATE TABLE IF NOT EXISTS run (id int)"))
                await connection.execute(text("INSERT INTO run VALUES (:id)"), [{"id": 1}, {"id": 2}])
                assert await connection.scalar(text("SELECT 1")) == 1
            async with AsyncSession(engine) as session:
                await session.execute(text("COMMENT ON TABLE run IS 'of env.py'"))
                await session.commit()
            async with engine.begin() as connection:
                await connection.run_sync(migrate)
            await engine.dispose()

        asyncio.run(main())
        """,
        environ={"DATABASE_URL": "{url}"},
        scheme="postgresql+asyncpg",
    ),
    Shape(
        "a connection where a program gives one",
        """
        from alembic import context
        from sqlalchemy import engine_from_config, pool

        config = context.config

        def migrate(connection):
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()

        given = config.attributes.get("connection", None)
        if given is None:
            engine = engine_from_config(config.get_section(config.config_ini_section), poolclass=pool.NullPool)
            with engine.connect() as connection:
                migrate(connection)
        else:
            migrate(given)
        """,
    ),
    Shape(
        "a connection that a program must give",
        """
        from alembic import context

        context.configure(connection=context.config.attributes["connection"])
        with context.begin_transaction():
            context.run_migrations()
        """,
        files={
            "migrate.py": """
                import sys
                from alembic import command
                from alembic.config import Config
                from sqlalchemy import create_engine

                config = Config("alembic.ini")
                with create_engine(config.get_main_option("sqlalchemy.url")).begin() as connection:
                    config.attributes["connection"] = connection
                    getattr(command, sys.argv[1])(config, sys.argv[2])
                """
        },
        program=("migrate",),
    ),
    Shape(
        "settings by pydantic, one URL",
        """
        from alembic import context
        from app.settings import Settings
        from sqlalchemy import create_engine, pool

        engine = create_engine(str(Settings().database_url), poolclass=pool.NullPool)
        with engine.connect() as connection:
        """
        + _END.replace("\n", "\n        "),
        files={
            "app/__init__.py": "",
            "app/settings.py": """
                from pydantic import PostgresDsn
                from pydantic_settings import BaseSettings

                class Settings(BaseSettings):
                    database_url: PostgresDsn
                """,
        },
        environ={"DATABASE_URL": "{url}"},
    ),
    Shape(
        "settings by pydantic, in parts",
        """
        from alembic import context
        from app.settings import settings
        from sqlalchemy import create_engine

        context.config.set_main_option("sqlalchemy.url", settings.url.render_as_string(False).replace("%", "%%"))
        engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
        with engine.connect() as connection:
        """
        + _END.replace("\n", "\n        "),
        files={
            "app/__init__.py": "",
            "app/settings.py": """
                from pydantic import SecretStr
                from pydantic_settings import BaseSettings, SettingsConfigDict
                from sqlalchemy import URL

                class Settings(BaseSettings):
                    model_config = SettingsConfigDict(env_prefix="POSTGRES_")
                    host: str
                    port: int = 5432
                    user: str
                    password: SecretStr
                    db: str

                    @property
                    def url(self) -> URL:
                        return URL.create("postgresql+psycopg", self.user, self.password.get_secret_value(), self.host,
                                          self.port, self.db)

                settings = Settings()
                """,
        },
        environ={
            "POSTGRES_HOST": "{host}",
            "POSTGRES_PORT": "{port}",
            "POSTGRES_USER": "{user}",
            "POSTGRES_PASSWORD": "{password}",
            "POSTGRES_DB": "{dbname}",
        },
    ),
    Shape(
        "an engine that commits each statement, in a thread",
        """
        import os
        import threading
        from alembic import context
        from sqlalchemy import create_engine

        def migrate():
            engine = create_engine(os.environ["DATABASE_URL"], isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                context.configure(connection=connection)
                with context.begin_transaction():
                    context.run_migrations()

        thread = threading.Thread(target=migrate)
        thread.start()
        thread.join()
        """,
        environ={"DATABASE_URL": "{url}"},
        history=_CONCURRENT,
    ),
    Shape(
        "tries again until the server is there",
        """
        import os
        import time
        from alembic import context
        from sqlalchemy import create_engine, text
        from sqlalchemy.exc import OperationalError

        engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True, pool_size=1, max_overflow=0)
        for left in reversed(range(5)):
            try:
                with engine.connect() as probe:
                    probe.execute(text("SELECT 1"))
                break
            except OperationalError:
                if not left:
                    raise
                time.sleep(1)
        with engine.connect() as connection:
        """
        + _END.replace("\n", "\n        "),
        environ={"DATABASE_URL": "{url}"},
    ),
)

OWNER = Shape(
    "becomes the owner's role by a listener",
    """
    from alembic import context
    from sqlalchemy import engine_from_config, event

    engine = engine_from_config(context.config.get_section("alembic"))

    @event.listens_for(engine, "connect")
    def become_owner(connection, record):
        with connection.cursor() as cursor:
            cursor.execute("SET ROLE {role}")
        connection.commit()

    with engine.connect() as connection:
    """
    + _END.replace("\n", "\n    "),
    prepare=("GRANT CREATE ON SCHEMA public TO {role}", "GRANT CREATE ON DATABASE {dbname} TO {role}"),
)
