"""The real Kubernetes, PostgreSQL and registry that tests, demo and benchmarks run on."""
