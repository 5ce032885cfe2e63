"""The tests: unit (pure), component (real database, no Kubernetes), e2e and cluster (real Kubernetes)."""
