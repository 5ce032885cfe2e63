"""The command-line tool as a process, against real PostgreSQL servers."""
