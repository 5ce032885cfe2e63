"""Schemas with everything in them: restored, seeded and planned."""

from __future__ import annotations

import time

import pytest
from tests.cluster.postgres import Version
from tests.component.runner.databases import Database
from tests.component.runner.planner import Planner, read_plan
from tests.component.runner.project import Project

from alembic_operator.contract.plan import Lock
from alembic_operator.contract.request import RunKind

SCHEMA = r'''
CREATE EXTENSION IF NOT EXISTS plpgsql;
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN percent AS numeric(5, 2) NOT NULL CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN code AS char(3) CHECK (VALUE = upper(VALUE));
CREATE TABLE person (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email email NOT NULL UNIQUE, mood mood NOT NULL, share percent,
  pair pair NOT NULL, span span NOT NULL, numbers int4range NOT NULL, days daterange NOT NULL, tags text[] NOT NULL,
  moods mood[] NOT NULL, document jsonb NOT NULL, old json NOT NULL, raw bytea NOT NULL, address inet NOT NULL,
  net cidr NOT NULL, mac macaddr NOT NULL, at timestamptz NOT NULL, day date NOT NULL, noon time NOT NULL,
  lasting interval NOT NULL, flags bit(4) NOT NULL, more varbit NOT NULL, point point NOT NULL, box box NOT NULL,
  circle circle NOT NULL, search tsvector NOT NULL, price money NOT NULL, ratio real NOT NULL, letter "char" NOT NULL,
  currency code NOT NULL, country char(2) NOT NULL CHECK (country IN ('DE', 'FR')), xid8 pg_lsn NOT NULL,
  "Odd ""name""" int NOT NULL, doubled int GENERATED ALWAYS AS ("Odd ""name""" * 2) STORED
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY, person uuid NOT NULL REFERENCES person, placed date NOT NULL,
  status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'paid') AND length(status) > 2),
  quantity int NOT NULL CHECK (quantity >= 10 AND quantity < 20), parent bigint, PRIMARY KEY (id, placed, status)
) PARTITION BY RANGE (placed);
CREATE TABLE orders_old PARTITION OF orders FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE orders_2020 PARTITION OF orders FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
  PARTITION BY LIST (status);
CREATE TABLE orders_2020_new PARTITION OF orders_2020 FOR VALUES IN ('new');
CREATE TABLE orders_2020_rest PARTITION OF orders_2020 DEFAULT;
CREATE TABLE hashed (id int NOT NULL) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE hashed_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2);
CREATE TABLE circle_a (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE circle_b (id int PRIMARY KEY, a int NOT NULL REFERENCES circle_a);
ALTER TABLE circle_a ADD FOREIGN KEY (b) REFERENCES circle_b DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE tree (id serial PRIMARY KEY, parent int NOT NULL REFERENCES tree);
CREATE TABLE other.small (v varchar(2) NOT NULL, n numeric(2, 2) NOT NULL, EXCLUDE USING btree (v WITH =));
CREATE TABLE guarded (id int PRIMARY KEY, owner name NOT NULL DEFAULT current_user);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON guarded TO shop USING (owner = current_user);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'refused'; END$$;
CREATE TABLE triggered (id int);
CREATE TRIGGER refuse BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TABLE impossible (id int CHECK (id > 5 AND id < 5), v int NOT NULL CHECK (false));
CREATE VIEW seen AS SELECT id, email FROM person;
CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM person;
COMMENT ON TABLE person IS 'It''s a person';
COMMENT ON COLUMN person.email IS 'where to write';
'''


@pytest.mark.parametrize("version", [15, 18])
def test_every_table_but_an_impossible_one_has_a_row_when_the_schema_has_everything(
    database: Database, project: Project, planner: Planner, version: Version
) -> None:
    project.sql("r1", SCHEMA)
    applied = planner.runner(project, database.uri)
    assert applied.exit_code == 0, applied.message
    project.sql(
        "r2",
        "ALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT ''",
        "ALTER TABLE person ADD CHECK (mood = 'good') NOT VALID",
        "DO $$ BEGIN ASSERT (SELECT n FROM kept) = 1; END $$",
        "ALTER TABLE tree VALIDATE CONSTRAINT tree_parent_fkey",
        "DROP POLICY mine ON guarded",
    )

    ended = planner.run(project)

    plan = read_plan(ended)
    (warning,) = ended.result.warnings
    assert warning.startswith("No row could be made up for public.impossible")
    assert plan.shadow is not None
    assert plan.shadow.tables == 14
    with planner.shadow.connect(database.name) as shadow:
        names = shadow.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace IN "
            "('public'::regnamespace, 'other'::regnamespace) ORDER BY 1"
        ).fetchall()
        empty = [name for (name,) in names if not shadow.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchall()]
        broken = shadow.execute("SELECT 1 FROM orders o LEFT JOIN person p ON p.id = o.person WHERE p.id IS NULL")
        assert empty == ["impossible"]
        assert broken.fetchall() == []
    statements = plan.steps[0].statements
    assert [one.violation for one in statements] == [""] * 5
    assert Lock("public.orders_2020_new", "AccessExclusiveLock") in statements[0].locks
    assert statements[4].drops[0].type == "policy"


@pytest.mark.parametrize("version", [18])
def test_five_hundred_tables_are_seeded_and_planned_within_seconds(
    database: Database, project: Project, planner: Planner, version: Version
) -> None:
    tables = "".join(
        f"CREATE TABLE t{number} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, "
        f"at timestamptz NOT NULL DEFAULT now(), kind varchar(9) NOT NULL CHECK (kind IN ('x', 'y')), "
        f"parent bigint NOT NULL REFERENCES t{max(number - 1, 0)});"
        for number in range(500)
    )
    database.execute(tables)
    assert database.alembic(project, "stamp", "base").returncode == 0
    project.sql("r1", "ALTER TABLE t499 ADD COLUMN n int")
    planner.restore()
    began = time.monotonic()
    ended = planner.runner(
        project,
        database.uri,
        mounts=planner.mounts,
        kind=RunKind.PLAN,
        evidence="Shadow",
        baseline=[],
        revision="r1",
    )
    seconds = time.monotonic() - began

    plan = read_plan(ended)
    assert plan.shadow is not None
    print(f"500 tables: run {seconds:.1f} s, shadow {plan.shadow}")
    assert (plan.shadow.tables, ended.result.warnings) == (500, [])
    assert plan.steps[0].statements[0].locks == [Lock("public.t499", "AccessExclusiveLock")]
    assert seconds < 30
