"""Where env.py files put tables and the version table, and how they name what is made."""

from __future__ import annotations

from .shape import Shape

_ENGINE = """
from alembic import context
from sqlalchemy import MetaData, engine_from_config, text

config = context.config
engine = engine_from_config(config.get_section(config.config_ini_section))
"""

_TWO_SCHEMAS = (
    (
        """
        op.create_table("invoice", sa.Column("id", sa.Integer, primary_key=True), schema="sales")
        op.create_table(
            "entry",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("invoice_id", sa.Integer, sa.ForeignKey("sales.invoice.id"), index=True),
            schema="audit",
        )
        """,
        """
        op.drop_table("entry", schema="audit")
        op.drop_table("invoice", schema="sales")
        """,
    ),
    (
        """op.add_column("invoice", sa.Column("paid", sa.Boolean), schema="sales")""",
        """op.drop_column("invoice", "paid", schema="sales")""",
    ),
)

_CONVENTION = (
    (
        """
        op.create_table("team", sa.Column("id", sa.Integer), sa.Column("slug", sa.Text), sa.PrimaryKeyConstraint("id"))
        op.create_unique_constraint(None, "team", ["slug"])
        op.create_check_constraint("not_empty", "team", sa.text("slug <> ''"))
        """,
        """op.drop_table("team")""",
    ),
    (
        """
        op.drop_constraint("uq_team_slug", "team", type_="unique")
        op.create_table("member", sa.Column("id", sa.Integer, primary_key=True), sa.Column("team_id", sa.Integer))
        op.create_foreign_key(None, "member", "team", ["team_id"], ["id"])
        """,
        """
        op.drop_constraint("fk_member_team_id_team", "member", type_="foreignkey")
        op.drop_table("member")
        op.create_unique_constraint(op.f("uq_team_slug"), "team", ["slug"])
        """,
    ),
)

SCHEMAS = (
    Shape(
        "the schema named as the user",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        prepare=("CREATE SCHEMA {user}",),
    ),
    Shape(
        "the search path of the database",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        prepare=("CREATE SCHEMA app", "ALTER DATABASE {dbname} SET search_path = app, public"),
    ),
    Shape(
        "the version table in a schema that env.py makes",
        _ENGINE
        + """
with engine.connect() as connection:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS app"))
    connection.commit()
    context.configure(connection=connection, version_table_schema="app", version_table="shop_versions")
    with context.begin_transaction():
        context.run_migrations()
""",
    ),
    Shape(
        "several schemas",
        _ENGINE
        + """
with engine.begin() as connection:
    for schema in ("sales", "audit"):
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=MetaData(),
        include_schemas=True,
        include_name=lambda name, kind, parents: kind != "schema" or name in ("sales", "audit"),
        version_table_schema="sales",
    )
    with context.begin_transaction():
        context.run_migrations()
""",
        history=_TWO_SCHEMAS,
    ),
    Shape(
        "a tenant by an argument",
        _ENGINE
        + """
tenant = context.get_x_argument(as_dictionary=True)["tenant"]
with engine.connect() as connection:
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{tenant}"'))
    connection.execute(text(f'SET search_path TO "{tenant}"'))
    connection.commit()
    connection.dialect.default_schema_name = tenant
    context.configure(connection=connection, version_table_schema=tenant)
    with context.begin_transaction():
        context.run_migrations()
""",
        arguments=("-x", "tenant=north"),
        request={"x": ["tenant=north"]},
    ),
    Shape(
        "a section of the ini for each database",
        _ENGINE
        + """
with engine.connect() as connection:
    context.configure(connection=connection, version_table=config.get_main_option("versions"))
    with context.begin_transaction():
        context.run_migrations()
""",
        ini="""
        [billing]
        script_location = %(here)s/migrations
        sqlalchemy.url = {url}
        versions = billing_versions
        """,
        arguments=("-n", "billing"),
        request={"section": "billing"},
    ),
    Shape(
        "tables without a schema translated into one",
        _ENGINE
        + """
with engine.connect() as connection:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS shop_data"))
    connection.commit()
    connection = connection.execution_options(schema_translate_map={None: "shop_data"})
    context.configure(connection=connection, version_table_schema="shop_data")
    with context.begin_transaction():
        context.run_migrations()
""",
        history=(
            (
                """op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))""",
                """op.drop_table("account")""",
            ),
            (
                """op.create_table("note", sa.Column("id", sa.Integer, primary_key=True))""",
                """op.drop_table("note")""",
            ),
        ),
    ),
    Shape(
        "a naming convention",
        _ENGINE
        + """
convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=MetaData(naming_convention=convention))
    with context.begin_transaction():
        context.run_migrations()
""",
        history=_CONVENTION,
    ),
)
