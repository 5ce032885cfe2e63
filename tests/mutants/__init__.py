"""Faults that a person could make, each of which the tests must notice: `make mutants`."""
