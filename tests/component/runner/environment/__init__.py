"""env.py files: as they are, beside plain Alembic, and what a run makes of their settings."""
