-- Writes down what statements drop, in a setting: that list goes with its transaction or savepoint, as the drops do, and a
-- table for it would be one thing more to leave out.
CREATE OR REPLACE FUNCTION alembic_operator.note_drops() RETURNS event_trigger LANGUAGE plpgsql AS $probe$
BEGIN
  PERFORM pg_catalog.set_config('alembic_operator.drops', (
    COALESCE(NULLIF(pg_catalog.current_setting('alembic_operator.drops', true), ''), '[]')::pg_catalog.jsonb
    || COALESCE((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
         d.classid::bigint, d.objid::bigint, d.objsubid, d.object_type, d.object_identity))
         FROM pg_catalog.pg_event_trigger_dropped_objects() AS d
        WHERE (d.original OR d.normal) AND NOT d.is_temporary), '[]'))::text, false);
END $probe$;
DROP EVENT TRIGGER IF EXISTS alembic_operator_drops;
CREATE EVENT TRIGGER alembic_operator_drops ON sql_drop EXECUTE FUNCTION alembic_operator.note_drops();
