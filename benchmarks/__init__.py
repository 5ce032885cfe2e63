"""Measurements: python -m benchmarks [names…] prints them and keeps them in docs/benchmarks.md."""
