"""What env.py files send by themselves, and what else they do around the revisions."""

from __future__ import annotations

from .shape import Shape

_ENGINE = """
from alembic import context
from sqlalchemy import engine_from_config, text

config = context.config
engine = engine_from_config(config.get_section(config.config_ini_section))
"""

_KEYWORDS = (
    (
        """op.create_table(kw["prefix"] + "job", sa.Column("id", sa.Integer, primary_key=True))""",
        """op.drop_table(kw["prefix"] + "job")""",
    ),
    (
        """op.add_column(kw["prefix"] + "job", sa.Column("state", sa.Text))""",
        """op.drop_column(kw["prefix"] + "job", "state")""",
    ),
)

STATEMENTS = (
    Shape(
        "a schema and a limit for locks first, in the transaction of the revisions",
        _ENGINE
        + """
with engine.connect() as connection:
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS app"))
    connection.execute(text("SET search_path TO app, public"))
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
""",
    ),
    Shape(
        "a lock of its own around the revisions",
        _ENGINE
        + """
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(4711)"))
    connection.commit()
    try:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(4711)"))
        connection.commit()
""",
    ),
    Shape(
        "a lock until the transaction ends",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.get_context().execute("SELECT pg_advisory_xact_lock(4711)")
        context.run_migrations()
""",
    ),
    Shape(
        "a table of its own that it writes and reads before",
        _ENGINE
        + """
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS run (id serial PRIMARY KEY, what text)"))
    number = connection.execute(text("INSERT INTO run (what) VALUES ('upgrade') RETURNING id")).scalar_one()
    names = connection.execute(text("SELECT what FROM run")).fetchall()
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
    ),
    Shape(
        "rights for the readers afterwards",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
    connection.commit()
""",
    ),
    Shape(
        "keywords for the revisions",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations(prefix="shop_")
""",
        history=_KEYWORDS,
        keywords=True,
    ),
    Shape(
        "a record of each version that is applied, and ends the process",
        _ENGINE
        + """
import sys

def record(ctx, step, heads, **facts):
    ctx.connection.execute(text("CREATE TABLE IF NOT EXISTS applied (version text, up boolean, heads text)"))
    row = {"version": step.up_revision_id, "up": step.is_upgrade, "heads": ",".join(sorted(heads))}
    ctx.connection.execute(text("INSERT INTO applied VALUES (:version, :up, :heads)"), row)

with engine.connect() as connection:
    context.configure(connection=connection, on_version_apply=record)
    with context.begin_transaction():
        context.run_migrations()
sys.exit(0)
""",
    ),
    Shape(
        "configured twice",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection, version_table="never_made")
    context.configure(connection=connection, version_table="versions", transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
""",
    ),
)
