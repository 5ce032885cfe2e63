"""The runner's real zipapp against real PostgreSQL servers."""
