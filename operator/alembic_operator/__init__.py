"""The Kubernetes operator for Alembic."""

__version__ = "0.1.0"
