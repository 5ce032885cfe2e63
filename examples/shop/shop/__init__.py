"""A small shop: the example application of alembic-operator."""
