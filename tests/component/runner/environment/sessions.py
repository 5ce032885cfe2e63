"""Where env.py, the engine or the role gives the session its search path, role or settings."""

from __future__ import annotations

from .shape import Shape

_ENGINE = """
from alembic import context
from sqlalchemy import MetaData, engine_from_config, text

config = context.config
engine = engine_from_config(config.get_section(config.config_ini_section))
"""

_NAMES = (
    (
        """
        op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
        """,
        'op.drop_table("account")',
    ),
    (
        """
        bind = op.get_bind()
        database, user = bind.execute(sa.text("SELECT current_database(), current_user")).one()
        rows = bind.execute(sa.text("SELECT name FROM account")).all()
        op.execute(f'GRANT CONNECT ON DATABASE "{database}" TO "{user}"')
        op.execute(f"ALTER DATABASE {bind.engine.url.database} SET timezone TO 'UTC'")
        op.execute(f'ALTER DEFAULT PRIVILEGES FOR ROLE "{user}" IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC')
        """,
        "op.execute('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM PUBLIC')",
    ),
)
_BOTH_SCHEMAS = (
    ('op.create_table("account", sa.Column("id", sa.Integer))', 'op.drop_table("account")'),
    ("op.execute('COMMENT ON TABLE public.run IS $$of env.py$$')", "op.execute('COMMENT ON TABLE public.run IS NULL')"),
)
_WHO = (
    ('op.create_table("account", sa.Column("id", sa.Integer))', 'op.drop_table("account")'),
    (
        """
        user = op.get_bind().execute(sa.text("SELECT current_user")).scalar_one()
        op.execute(f"COMMENT ON TABLE account IS '{user[-6:]}'")
        """,
        "op.execute('COMMENT ON TABLE account IS NULL')",
    ),
)
_CUSTOM = (
    (
        """
        op.create_table("account", sa.Column("id", sa.Integer))
        op.execute("SELECT set_config('audit.reason', 'of r1', true)")
        """,
        'op.drop_table("account")',
    ),
    (
        """
        asked = [sa.text(f"SELECT current_setting('audit.{name}', true)") for name in ("who", "team", "reason")]
        told = ", ".join(str(op.get_bind().execute(one).scalar_one()) for one in asked)
        op.execute(f"COMMENT ON TABLE account IS '{told}'")
        """,
        "op.execute('COMMENT ON TABLE account IS NULL')",
    ),
)
# What becomes of a time without a zone depends on the session's.
_TIMES = (
    (
        """
        op.execute("CREATE TABLE visit (at timestamp, said text)")
        op.execute("INSERT INTO visit VALUES ('2026-07-01 12:00', '03/04/2026')")
        """,
        "op.execute('DROP TABLE visit')",
    ),
    (
        """
        op.execute("ALTER TABLE visit ALTER at TYPE timestamptz, ALTER said TYPE date USING said::date")
        """,
        "op.execute('ALTER TABLE visit ALTER at TYPE timestamp')",
    ),
)

SESSIONS = (
    Shape(
        "a schema that is named as the user, and revisions that ask for the names of user and database",
        _ENGINE
        + """
with engine.connect() as connection:
    schema = connection.execute(text("SELECT current_user")).scalar_one()
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    connection.commit()
    context.configure(connection=connection, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
""",
        history=_NAMES,
    ),
    Shape(
        "a table of its own before it sets the search path",
        _ENGINE
        + """
with engine.connect() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS run (id int)"))
    connection.execute(text("SET search_path TO app"))
    connection.commit()
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        history=_BOTH_SCHEMAS,
        prepare=("CREATE SCHEMA app",),
    ),
    Shape(
        "schemas that the revisions ask for while they are imported",
        _ENGINE
        + """
config.attributes["schema"] = "app"
with engine.connect() as connection:
    context.configure(connection=connection, schema="app")
    with context.begin_transaction():
        context.run_migrations()
""",
        imports="""import sqlalchemy as sa
from alembic import context
from alembic import op as operations

(SCHEMA,) = {
    context.config.get_main_option("schema"),
    context.config.attributes["schema"],
    context.get_x_argument(as_dictionary=True)["schema"],
    operations.get_context().opts["schema"],
} & set(sa.inspect(operations.get_bind()).get_schema_names())
""",
        history=(
            (
                'op.create_table("account", sa.Column("id", sa.Integer), schema=SCHEMA)',
                "op.drop_table('account', schema=SCHEMA)",
            ),
            (
                'op.create_table("note", sa.Column("id", sa.Integer), schema=SCHEMA)',
                "op.drop_table('note', schema=SCHEMA)",
            ),
        ),
        ini="schema = app",
        arguments=("-x", "schema=app"),
        request={"x": ["schema=app"]},
        prepare=("CREATE SCHEMA app",),
    ),
    Shape(
        "a role that the user begins with, on the second connection too",
        _ENGINE
        + """
from sqlalchemy.pool import NullPool

engine = engine_from_config(config.get_section(config.config_ini_section), poolclass=NullPool)
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS run (id int)"))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        history=_WHO,
        prepare=(
            "GRANT CREATE ON DATABASE {dbname} TO {role}",
            "GRANT ALL ON SCHEMA public TO {role}",
            "ALTER ROLE {user} IN DATABASE {dbname} SET role = '{role}'",
        ),
    ),
    Shape(
        "a search path for the transaction alone",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.execute("SET LOCAL search_path TO app")
        context.run_migrations()
""",
        prepare=("CREATE SCHEMA app",),
    ),
    Shape(
        "a revision that sets the search path for the transaction alone",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        history=(
            (
                """
                op.create_table("account", sa.Column("id", sa.Integer))
                op.execute("SET LOCAL search_path TO app, public")
                """,
                'op.drop_table("account")',
            ),
            ('op.create_table("note", sa.Column("id", sa.Integer))', "op.drop_table('note', schema='app')"),
        ),
        prepare=("CREATE SCHEMA app",),
    ),
    Shape(
        "settings that no extension has declared, for the transaction alone",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": "audit.who", "value": "migrator"})
        with connection.connection.cursor() as cursor:
            cursor.execute("SET LOCAL audit.team TO 'platform'")
        context.run_migrations()
""",
        history=_CUSTOM,
    ),
    Shape(
        "a search path among the options of the engine's connections",
        _ENGINE
        + """
options = {"options": "-c search_path=app,public -c lock_timeout=4s"}
engine = engine_from_config(config.get_section(config.config_ini_section), connect_args=options)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        prepare=("CREATE SCHEMA app",),
    ),
    Shape(
        "nothing, where the role has a time zone and a style of dates",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        history=_TIMES,
        prepare=(
            "ALTER ROLE {user} IN DATABASE {dbname} SET timezone = 'America/New_York'",
            "ALTER ROLE {user} IN DATABASE {dbname} SET datestyle = 'ISO, DMY'",
        ),
    ),
)
