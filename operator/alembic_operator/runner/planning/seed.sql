-- Inserts one row into each table that `wanted` names, trying value after value; returns the names of the tables that
-- took none. Columns that a refusal names go on to their next value, like the wheels of a counter; where it names none,
-- all do. {attempts} is replaced before it is sent.
CREATE OR REPLACE FUNCTION alembic_operator.seed(wanted pg_catalog.jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $seed$
DECLARE
  one pg_catalog.jsonb;
  chosen pg_catalog.jsonb;
  concerned pg_catalog.jsonb;
  refusing text;
  refused_type text;
  refused_column text;
  wheel text;
  done boolean;
BEGIN
  FOR one IN SELECT * FROM pg_catalog.jsonb_array_elements(wanted) LOOP
    done := false;
    SELECT COALESCE(pg_catalog.jsonb_object_agg(v.key, 0), '{}') INTO chosen
      FROM pg_catalog.jsonb_each(one -> 'values') AS v WHERE NOT (one -> 'defaults') ? v.key;
    FOR attempt IN 1 .. {attempts} LOOP
      BEGIN
        EXECUTE (SELECT 'INSERT INTO ' || (one ->> 'sql') ||
            CASE WHEN pg_catalog.count(*) = 0 THEN ' DEFAULT VALUES' ELSE
            pg_catalog.format(' (%s) OVERRIDING SYSTEM VALUE VALUES (%s)',
              pg_catalog.string_agg(pg_catalog.quote_ident(c.key), ', '),
              pg_catalog.string_agg(one -> 'values' -> c.key ->> c.value::int, ', ')) END
          FROM pg_catalog.jsonb_each_text(chosen) AS c);
        done := true;
        EXIT;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS refusing = CONSTRAINT_NAME, refused_type = PG_DATATYPE_NAME,
          refused_column = COLUMN_NAME;
        concerned := COALESCE(one -> 'types' -> refused_type,
          one -> 'checks' -> (CASE SQLSTATE WHEN '23514' THEN refusing END));
        IF concerned IS NULL AND (one -> 'values') ? refused_column THEN
          concerned := pg_catalog.jsonb_build_array(refused_column);
        END IF;
        IF concerned IS NULL THEN
          SELECT pg_catalog.jsonb_object_agg(v.key,
                   (COALESCE((chosen ->> v.key)::int, -1) + 1) % pg_catalog.jsonb_array_length(v.value)) INTO chosen
            FROM pg_catalog.jsonb_each(one -> 'values') AS v;
        ELSE
          FOR wheel IN SELECT * FROM pg_catalog.jsonb_array_elements_text(concerned) LOOP
            chosen := chosen || pg_catalog.jsonb_build_object(wheel,
              (COALESCE((chosen ->> wheel)::int, -1) + 1) % pg_catalog.jsonb_array_length(one -> 'values' -> wheel));
            EXIT WHEN (chosen ->> wheel)::int <> 0;
          END LOOP;
        END IF;
      END;
    END LOOP;
    IF NOT done THEN
      RETURN NEXT one ->> 'name';
    END IF;
  END LOOP;
END $seed$
