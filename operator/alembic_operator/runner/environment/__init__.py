"""The project's env.py, run as Alembic runs it, on the runner's own session.

Whatever engine env.py makes for the Secret's database hands out that session, so lock, journal, guard and capture hold;
one for another database is refused. docs/env-py.md says what env.py may do.
"""
