"""A help desk with customers: the tables that these cases begin with, and how a case is written down."""

from __future__ import annotations

from tests.corpus.case import Case

DESK = """
CREATE TYPE ticket_state AS ENUM ('open', 'waiting', 'closed');
CREATE DOMAIN phone_number AS text;
CREATE SEQUENCE ticket_numbers;
CREATE TABLE accounts (id serial CONSTRAINT accounts_pk PRIMARY KEY, slug varchar(60) NOT NULL, tier varchar(20),
  region char(2), seats int, balance numeric(8, 2), meta json, phone phone_number, signed_up timestamp DEFAULT now());
CREATE TABLE members (id serial CONSTRAINT members_pk PRIMARY KEY, account_id int NOT NULL, email varchar(255) NOT NULL,
  name text, ref varchar(36), active boolean NOT NULL DEFAULT true);
CREATE TABLE tickets (id serial CONSTRAINT tickets_pk PRIMARY KEY, account_id int NOT NULL, member_id int,
  CONSTRAINT tickets_account_fk FOREIGN KEY (account_id) REFERENCES accounts (id),
  number bigint DEFAULT nextval('ticket_numbers'), subject text NOT NULL, body text, state ticket_state,
  priority smallint, minutes int, opened timestamp NOT NULL DEFAULT now(), closed timestamptz, payload jsonb);
CREATE INDEX tickets_by_account ON tickets (account_id);
CREATE INDEX tickets_by_subject ON tickets (subject);
CREATE TABLE visits (at date NOT NULL, page text) PARTITION BY RANGE (at);
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO accounts (slug, tier, region, seats, balance, phone)
  SELECT 'customer-' || g, 'free', 'DE', g % 9, g % 500, '+49 30 ' || g FROM generate_series(1, 300) g;
INSERT INTO members (account_id, email, name, ref)
  SELECT g % 300 + 1, 'm' || g || '@example.org', 'Member ' || g, '00000000-0000-4000-8000-' || lpad(g::text, 12, '0')
  FROM generate_series(1, 900) g;
INSERT INTO tickets (account_id, member_id, subject, body, state, minutes)
  SELECT g % 300 + 1, g % 900 + 1, 'Ticket ' || g, 'It broke', 'open', g % 60 FROM generate_series(1, 2500) g;
INSERT INTO visits SELECT date '2026-03-01' + g % 90, '/help' FROM generate_series(1, 1000) g;
"""

ALEMBIC = "https://alembic.sqlalchemy.org/en/latest/"
EUGENE = "https://kaveland.no/eugene/hints/"
SQUAWK = "https://squawkhq.com/docs/"
STRONG = "https://github.com/ankane/strong_migrations#"
DJANGO = "https://github.com/tbicr/django-pg-zero-downtime-migrations"
GITLAB = "https://docs.gitlab.com/development/"
MANUAL = "https://www.postgresql.org/docs/current/"
REVIEW = "https://blog.rajpoot.dev/textbooks/alembic/02-autogenerate/"
BIGINT = "https://web.meetcleo.com/blog/postgres-primary-key-int-to-bigint-migrations"


def unsafe(name: str, source: str, *revisions: str, setup: str = "", since: int = 15) -> Case:
    """A migration that has to be stopped."""
    return Case(name, source, True, revisions, setup, since, DESK)


def safe(name: str, source: str, *revisions: str, setup: str = "", since: int = 15) -> Case:
    """A migration that may run."""
    return Case(name, source, False, revisions, setup, since, DESK)
