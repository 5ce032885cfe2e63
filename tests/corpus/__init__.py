"""Migrations as people write them, with what a careful database administrator says of each."""
