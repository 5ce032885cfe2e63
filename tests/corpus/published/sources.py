"""Where published migrations are told of, and how a case is written down."""

from __future__ import annotations

from tests.corpus.case import Case

SQUAWK = "https://squawkhq.com/docs/"
STRONG = "https://github.com/ankane/strong_migrations#"
GITLAB = "https://docs.gitlab.com/development/database/avoiding_downtime_in_migrations/#"
POSTGRES_AI = "https://postgres.ai/blog/20220525-common-db-schema-change-mistakes"
BRAINTREE = "https://www.pgrs.net/2014/05/14/safe-operations-for-high-volume-postgresql/"
ATLAS = "https://atlasgo.io/lint/analyzers#"
EUGENE = "https://kaveland.no/eugene/hints/"
MANUAL = "https://www.postgresql.org/docs/current/"
GOCARDLESS = "https://gocardless.com/blog/zero-downtime-postgres-migrations-the-hard-parts/"
PAYPAL = "https://medium.com/paypal-tech/postgresql-at-scale-database-schema-changes-without-downtime-20d3749ed680"

PARTED = (
    "CREATE TABLE visits (day date NOT NULL, kind text) PARTITION BY RANGE (day);"
    " CREATE TABLE visits_26 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    " INSERT INTO visits VALUES ('2026-02-02', 'a');"
)


def unsafe(name: str, source: str, *revisions: str, setup: str = "", since: int = 15) -> Case:
    """A migration that has to be stopped."""
    return Case(name, source, True, revisions, setup, since)


def safe(name: str, source: str, *revisions: str, setup: str = "", since: int = 15) -> Case:
    """A migration that may run."""
    return Case(name, source, False, revisions, setup, since)
