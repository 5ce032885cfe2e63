"""Where the demo keeps its things, and what it is called in a cluster."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOP = ROOT / "examples" / "shop"
RELEASE = ROOT / "demo" / "release"
CHART = ROOT / "charts" / "alembic-operator"

INSTANCE = "demo"  # the cluster of tests.cluster
STATE = Path("/var/opt/alembic-operator-demo")
POSTGRES = STATE / "postgres"  # short, as the socket lies in it
RECORD = STATE / "demo.json"
DEPLOY = STATE / "deploy"  # a copy of the shop's manifests, as a GitOps repository would hold them

OPERATOR = "alembic-operator"  # Helm release and namespace
DEV = "shop-dev"
PROD = "shop-prod"
RESOURCE = "databaseschemas.alembic-operator.dev"
SECRET = "shop-db-app"
MARK = "alembic-operator.dev/demo"  # a label: the namespace is the demo's, and goes with it
