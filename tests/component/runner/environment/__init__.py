"""env.py files as they are, beside plain Alembic."""
