"""The demo: a real Kubernetes, a real PostgreSQL, and an application whose database follows its releases."""
