-- The journal: what the runner keeps in the target database, in a schema of its own, so that autogenerate does not see it.
--
-- It needs CREATE on the database, or this schema made beforehand by somebody else with USAGE and CREATE granted on it.
-- The key "history" is "<schema>.<name>" of Alembic's version table, since two histories may live in one database.
-- Changes are additive; meta.version says which were made, and a runner refuses a newer major version.

CREATE SCHEMA IF NOT EXISTS alembic_operator;

CREATE TABLE IF NOT EXISTS alembic_operator.meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    major integer NOT NULL,
    minor integer NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);
INSERT INTO alembic_operator.meta (major, minor) VALUES (1, 0) ON CONFLICT DO NOTHING;

-- Which DatabaseSchema manages a history.
CREATE TABLE IF NOT EXISTS alembic_operator.owner (
    history text PRIMARY KEY,
    cluster text NOT NULL,
    namespace text NOT NULL,
    name text NOT NULL,
    uid text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

-- One row each time a revision is applied (direction up) or taken back (down): "done" is committed together with Alembic's
-- own version row. "intent" is committed by the first commit inside a revision (an autocommit block) and becomes "done" with
-- the version row. "adopted": applied before the operator came, or outside of it.
CREATE TABLE IF NOT EXISTS alembic_operator.revision_journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    history text NOT NULL,
    revision text NOT NULL,
    direction text NOT NULL DEFAULT 'up' CHECK (direction IN ('up', 'down')),
    state text NOT NULL CHECK (state IN ('intent', 'done', 'adopted')),
    resumable boolean NOT NULL DEFAULT false,
    file_sha256 text,
    image text,
    job text,
    job_uid text,
    started timestamptz NOT NULL,
    finished timestamptz,
    statements integer
);
CREATE INDEX IF NOT EXISTS revision_journal_history ON alembic_operator.revision_journal (history, id);

-- Where a batched backfill of a revision stands; written by alembic_operator_helpers.
CREATE TABLE IF NOT EXISTS alembic_operator.backfill_progress (
    history text NOT NULL,
    revision text NOT NULL,
    call integer NOT NULL,
    position text,
    rows bigint NOT NULL DEFAULT 0,
    updated timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (history, revision, call)
);

-- Version 1.1: which reviewed plan a row belongs to, and who approved it.
ALTER TABLE alembic_operator.revision_journal
    ADD COLUMN IF NOT EXISTS plan text,
    ADD COLUMN IF NOT EXISTS plan_uid text,
    ADD COLUMN IF NOT EXISTS digest text,
    ADD COLUMN IF NOT EXISTS approved_by text;
UPDATE alembic_operator.meta SET minor = 1 WHERE major = 1 AND minor < 1;

-- Version 1.2: how it is known that the schema was the history's when revisions were adopted (the reason of the condition
-- Verified: Compared, Accepted, NotCompared), in words, and the fingerprint of the schema then.
ALTER TABLE alembic_operator.revision_journal
    ADD COLUMN IF NOT EXISTS verified text,
    ADD COLUMN IF NOT EXISTS fingerprint text,
    ADD COLUMN IF NOT EXISTS remark text;
UPDATE alembic_operator.meta SET minor = 2 WHERE major = 1 AND minor < 2;
