-- One of everything that a schema-only dump has to bring along.
CREATE ROLE "it's a ""role""\";
CREATE ROLE reader NOLOGIN;
CREATE ROLE tenant LOGIN PASSWORD 'a secret of the target';
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE fast LOCATION '';
CREATE SCHEMA alembic_operator;
CREATE TABLE alembic_operator.revision_journal (id bigint);
CREATE SCHEMA "Odd schema" AUTHORIZATION reader;
COMMENT ON SCHEMA "Odd schema" IS 'it''s odd';
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TYPE state AS ENUM ('new', 'paid', 'it''s gone');
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE TYPE address AS (street text, number int);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE COLLATION "Odd schema".plain (provider = libc, locale = 'C');
CREATE SEQUENCE ticket START 100;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
  $f$ BEGIN NEW.at = now(); RETURN NEW; END $f$;
CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
CREATE PROCEDURE tidy() LANGUAGE sql AS 'SELECT 1';
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mail email NOT NULL UNIQUE, home address, since span, tags text[] DEFAULT '{}',
  name text COLLATE "Odd schema".plain,
  shout text GENERATED ALWAYS AS (upper(name)) STORED
);
COMMENT ON TABLE customers IS E'with a \\ and a ''';
COMMENT ON COLUMN customers.mail IS 'comment on a column';
CREATE TABLE orders (
  id bigint DEFAULT nextval('ticket'), customer bigint REFERENCES customers ON DELETE CASCADE,
  state state NOT NULL DEFAULT 'new', doubled int GENERATED ALWAYS AS (twice(4)) STORED,
  at timestamptz NOT NULL DEFAULT now(), body jsonb, PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
CREATE TABLE "Odd schema"."table; DROP TABLE x" ("a column" int CHECK ("a column" > 0)) TABLESPACE fast;
ALTER TABLE customers ADD CONSTRAINT named CHECK (name <> '') NOT VALID;
CREATE TABLE rooms (room int, during tsrange, EXCLUDE USING gist (during WITH &&));
CREATE TABLE names (name text) PARTITION BY LIST (name);
CREATE TABLE names_a PARTITION OF names FOR VALUES IN ('a', 'ä');
CREATE UNLOGGED TABLE scratch (LIKE rooms INCLUDING ALL);
CREATE INDEX customers_name ON customers (lower(name)) INCLUDE (mail) WHERE name IS NOT NULL;
CREATE INDEX orders_state ON orders (state);
CREATE STATISTICS customers_stats (dependencies) ON mail, name FROM customers;
CREATE VIEW paid AS SELECT id, state FROM orders WHERE state = 'paid';
CREATE VIEW paid_mails AS SELECT c.mail FROM customers AS c JOIN orders AS o ON o.customer = c.id;
CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) AS n FROM orders GROUP BY state;
CREATE UNIQUE INDEX totals_state ON totals (state);
CREATE RULE no_delete AS ON DELETE TO customers DO INSTEAD NOTHING;
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE customers DISABLE TRIGGER ALL;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON customers TO tenant, "it's a ""role""\" USING (mail = current_user) WITH CHECK (true);
ALTER TABLE orders OWNER TO reader;
GRANT SELECT ON customers TO reader;
CREATE PUBLICATION changes FOR TABLE customers;
CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN END $f$;
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted();
ALTER TABLE customers REPLICA IDENTITY FULL;
ALTER TABLE customers ALTER COLUMN name SET STATISTICS 500;
INSERT INTO customers (mail) VALUES ('anna@example.com');
