"""Libraries that projects build on: their own env.py, operations and types."""

from __future__ import annotations

from .shape import Shape

_ENGINE = """
from alembic import context
from sqlalchemy import engine_from_config

engine = engine_from_config(context.config.get_section("alembic"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata)
    with context.begin_transaction():
        context.run_migrations()
"""

SQLMODEL = Shape(
    "SQLModel",
    """
from sqlmodel import SQLModel
import app.models
target_metadata = SQLModel.metadata
"""
    + _ENGINE,
    files={
        "app/__init__.py": "",
        "app/models.py": """
            from sqlmodel import Field, SQLModel

            class Hero(SQLModel, table=True):
                id: int | None = Field(default=None, primary_key=True)
                name: str = Field(index=True)
            """,
    },
    imports="import sqlalchemy as sa\nimport sqlmodel",
    history=(
        (
            """
            op.create_table(
                "hero",
                sa.Column("id", sa.Integer(), nullable=False),
                sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
                sa.PrimaryKeyConstraint("id"),
            )
            op.create_index(op.f("ix_hero_name"), "hero", ["name"], unique=False)
            """,
            """
            op.drop_index(op.f("ix_hero_name"), table_name="hero")
            op.drop_table("hero")
            """,
        ),
        (
            """op.add_column("hero", sa.Column("team", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True))""",
            """op.drop_column("hero", "team")""",
        ),
    ),
)

UTILS = Shape(
    "alembic_utils",
    """
from alembic_utils.replaceable_entity import register_entities
from entities import twice, adults
register_entities([twice, adults])
target_metadata = None
"""
    + _ENGINE,
    files={
        "entities.py": """
            from alembic_utils.pg_function import PGFunction
            from alembic_utils.pg_view import PGView

            twice = PGFunction("public", "twice(n integer)",
                               "RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT n * 2 $$")
            adults = PGView("public", "adults", "SELECT id, age FROM person WHERE age >= 18")
            younger = PGView("public", "adults", "SELECT id, age FROM person WHERE age >= 16")
            """
    },
    imports="import sqlalchemy as sa\nfrom entities import adults, twice, younger",
    history=(
        (
            """
            op.create_table("person", sa.Column("id", sa.Integer, primary_key=True), sa.Column("age", sa.Integer))
            op.create_entity(twice)
            op.create_entity(adults)
            """,
            """
            op.drop_entity(adults)
            op.drop_entity(twice)
            op.drop_table("person")
            """,
        ),
        ("op.replace_entity(younger)", "op.replace_entity(adults)"),
    ),
)

ENUMS = Shape(
    "alembic_postgresql_enum",
    """
import alembic_postgresql_enum
target_metadata = None
"""
    + _ENGINE,
    imports=(
        "import sqlalchemy as sa\n"
        "from alembic_postgresql_enum import TableReference\n"
        "from sqlalchemy.dialects import postgresql"
    ),
    history=(
        (
            """
            mood = sa.Enum("sad", "happy", name="mood")
            mood.create(op.get_bind())
            op.create_table(
                "person",
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("mood", postgresql.ENUM("sad", "happy", name="mood", create_type=False)),
            )
            op.execute("INSERT INTO person (mood) VALUES ('sad'), ('happy')")
            """,
            """
            op.drop_table("person")
            sa.Enum("sad", "happy", name="mood").drop(op.get_bind())
            """,
        ),
        (
            """
            op.sync_enum_values(
                enum_schema="public",
                enum_name="mood",
                new_values=["gloomy", "happy", "calm"],
                affected_columns=[TableReference("person", "mood")],
                enum_values_to_rename=[("sad", "gloomy")],
            )
            """,
            """
            op.sync_enum_values(
                enum_schema="public",
                enum_name="mood",
                new_values=["sad", "happy"],
                affected_columns=[TableReference("person", "mood")],
                enum_values_to_rename=[("gloomy", "sad")],
            )
            """,
        ),
    ),
)

FRAMEWORKS = (SQLMODEL, UTILS, ENUMS)
