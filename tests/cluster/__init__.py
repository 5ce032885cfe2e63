"""The real Kubernetes, registry, PostgreSQL and faults that tests, demo and benchmarks run on.

`python -m tests.cluster up` starts a cluster by hand; in Python:

- `lifecycle`: `up`, `find` and `down` a cluster. It is made of `binary` (Kubernetes, built once), `instance` (names and
  addresses), `credentials`, `control_plane` (on the host), `node` (in its own namespaces), `registry` and `daemons`.
- `images`: builds Dockerfiles and pushes them, on a base image made of this machine's CPython (`python_base`, `oci`).
- `postgres`, `pgbouncer`, `toxic`: a database server, a pooler and a proxy that breaks connections; no cluster needed.
"""
