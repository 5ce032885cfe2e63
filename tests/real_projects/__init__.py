"""Applications from PyPI that carry an Alembic history, migrated by plain Alembic and by the runner, and compared."""
