"""The questions to the catalog; `%s` is the list of schemas. The answers are texts that need no search path."""

from __future__ import annotations

NAMESPACES = "SELECT oid, nspname::text FROM pg_namespace WHERE nspname = ANY(%s)"

# Members of extensions, and functions that PostgreSQL made for a range type.
MEMBERS = """
SELECT classid::regclass::text, objid FROM pg_depend
 WHERE deptype = 'e' OR (deptype = 'i' AND classid = 'pg_proc'::regclass)
"""

RELATIONS = """
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text, c.relreplident::text,
       c.relrowsecurity, c.relforcerowsecurity, c.reloptions, am.amname::text,
       CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
       pg_get_expr(c.relpartbound, c.oid),
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
       CASE WHEN c.relkind IN ('r', 'p', 'f') THEN
         (SELECT array_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid)
       END,
       s.srvname::text, f.ftoptions
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
 WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

# Since 17 a partition has its parent's identity, before it has none.
COLUMNS = """
SELECT a.attrelid, a.attname::text, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN c.relispartition THEN '' ELSE a.attidentity::text END,
       a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid),
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END, a.attcompression::text, a.attfdwoptions
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE n.nspname = ANY(%s) AND (c.relkind IN ('r', 'p', 'f', 'c') OR (c.relkind IN ('v', 'm') AND d.oid IS NOT NULL))
 ORDER BY a.attrelid, a.attnum
"""

# PostgreSQL 18 has a row for each NOT NULL: of those only what the column's own flag does not say.
CONSTRAINTS = """
SELECT k.oid, k.conrelid, k.contypid, k.conname::text, k.contype::text,
       CASE WHEN k.contype <> 'n' THEN pg_get_constraintdef(k.oid) END, k.convalidated, k.connoinherit,
       CASE WHEN k.contype = 'n' THEN
         (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1])
       END
  FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
 WHERE n.nspname = ANY(%s) AND k.contype <> 't' AND k.conparentid = 0
   AND NOT (k.contype = 'n' AND k.convalidated AND NOT k.connoinherit)
   AND NOT (k.coninhcount > 0 AND (NOT k.conislocal OR c.relispartition))
"""

INDEXES = """
SELECT i.indexrelid, i.indrelid, c.relname::text, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered,
       i.indisreplident, c.relispartition,
       EXISTS (SELECT 1 FROM pg_constraint k
                WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%s)
"""

# A partition's copy of a trigger counts where it is not enabled like its parent, a foreign key's where not as usual.
TRIGGERS = """
SELECT t.oid, t.tgrelid, t.tgname::text, t.tgenabled::text, t.tgisinternal, k.conname::text, t.tgparentid <> 0,
       CASE WHEN NOT t.tgisinternal AND t.tgparentid = 0 THEN pg_get_triggerdef(t.oid) END
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_trigger p ON p.oid = t.tgparentid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
 WHERE n.nspname = ANY(%s)
   AND CASE WHEN t.tgisinternal THEN t.tgenabled <> 'O' ELSE p.oid IS NULL OR p.tgenabled <> t.tgenabled END
"""

POLICIES = """
SELECT p.oid, p.polrelid, p.polname::text, p.polcmd::text, p.polpermissive,
       ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%s)
"""

RULES = """
SELECT r.oid, r.ev_class, r.rulename::text, r.ev_enabled::text, pg_get_ruledef(r.oid)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%s) AND r.rulename <> '_RETURN'
"""

TYPES = """
SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, t.typrelid,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull,
       pg_get_expr(t.typdefaultbin, 0),
       CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END,
       CASE WHEN t.typtype = 'r' THEN json_build_object(
         'subtype', r.rngsubtype::regtype::text, 'multirange', r.rngmultitypid::regtype::text,
         'collation', NULLIF(r.rngcollation, 0)::regcollation::text,
         'operator class', (SELECT o.opcname FROM pg_opclass o WHERE o.oid = r.rngsubopc),
         'canonical', NULLIF(r.rngcanonical::oid, 0)::regproc::text,
         'difference', NULLIF(r.rngsubdiff::oid, 0)::regproc::text)::text END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN pg_type b ON b.oid = t.typbasetype
  LEFT JOIN pg_range r ON r.rngtypid = t.oid
 WHERE n.nspname = ANY(%s) AND t.typtype IN ('b', 'c', 'd', 'e', 'r') AND (t.typrelid = 0 OR c.relkind = 'c')
   AND NOT EXISTS (SELECT 1 FROM pg_type a WHERE a.typarray = t.oid)
"""

FUNCTIONS = """
SELECT p.oid, n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes), p.prokind::text,
       pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname::text, p.provolatile::text,
       p.proparallel::text, p.proisstrict, p.prosecdef, p.proleakproof, p.procost::text, p.prorows::text, p.proconfig,
       CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) END,
       CASE WHEN p.prosqlbody IS NULL AND p.prokind <> 'a' THEN p.prosrc END, p.probin,
       CASE WHEN p.prokind = 'a' THEN json_build_object(
         'kind', g.aggkind, 'transition', g.aggtransfn::text, 'state', g.aggtranstype::regtype::text,
         'final', g.aggfinalfn::text, 'combine', g.aggcombinefn::text, 'initial', g.agginitval,
         'sort', g.aggsortop::regoper::text, 'moving', g.aggmtransfn::text, 'serial', g.aggserialfn::text,
         'deserial', g.aggdeserialfn::text)::text END
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid
 WHERE n.nspname = ANY(%s)
"""

SEQUENCES = """
SELECT s.seqrelid, n.nspname::text, c.relname::text, c.relpersistence::text, s.seqtypid::regtype::text,
       s.seqstart::text, s.seqincrement::text, s.seqmin::text, s.seqmax::text, s.seqcache::text, s.seqcycle,
       d.refobjid, a.attname::text, d.deptype::text
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype IN ('a', 'i')
   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE n.nspname = ANY(%s)
"""

STATISTICS = """
SELECT s.oid, s.stxrelid, s.stxname::text, pg_get_statisticsobjdef(s.oid)
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = ANY(%s)
"""

# What few schemas have. Columns of pg_collation have other names from version to version, hence to_jsonb.
OTHERS = """
SELECT 'pg_operator', o.oid, 'operator', n.nspname::text,
       o.oprname || ' (' || CASE o.oprleft WHEN 0 THEN 'none' ELSE o.oprleft::regtype::text END || ', '
         || o.oprright::regtype::text || ')',
       json_build_object('function', o.oprcode::text, 'result', o.oprresult::regtype::text,
         'commutator', NULLIF(o.oprcom, 0)::regoperator::text, 'negator', NULLIF(o.oprnegate, 0)::regoperator::text,
         'restrict', NULLIF(o.oprrest::oid, 0)::regproc::text, 'join', NULLIF(o.oprjoin::oid, 0)::regproc::text,
         'merges', NULLIF(o.oprcanmerge, false), 'hashes', NULLIF(o.oprcanhash, false))::text
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname = ANY(%s)
UNION ALL
SELECT 'pg_collation', c.oid, 'collation', n.nspname::text, c.collname::text,
       json_build_object('provider', c.collprovider, 'deterministic', c.collisdeterministic,
         'collate', c.collcollate::text, 'ctype', c.collctype::text,
         'locale', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
         'rules', to_jsonb(c) ->> 'collicurules')::text
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE n.nspname = ANY(%s)
UNION ALL
SELECT 'pg_opclass', o.oid, 'operator class', n.nspname::text, o.opcname || ' using ' || am.amname,
       json_build_object('type', o.opcintype::regtype::text, 'default', o.opcdefault,
         'key', NULLIF(o.opckeytype, 0)::regtype::text,
         'operators', ARRAY(SELECT s.amopstrategy || ' ' || s.amopopr::regoperator FROM pg_amop s
            WHERE s.amopfamily = o.opcfamily AND s.amoplefttype = o.opcintype ORDER BY s.amopstrategy, 1),
         'functions', ARRAY(SELECT f.amprocnum || ' ' || f.amproc FROM pg_amproc f
            WHERE f.amprocfamily = o.opcfamily AND f.amproclefttype = o.opcintype ORDER BY f.amprocnum, 1))::text
  FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am am ON am.oid = o.opcmethod
 WHERE n.nspname = ANY(%s)
UNION ALL
SELECT 'pg_ts_config', c.oid, 'text search configuration', n.nspname::text, c.cfgname::text,
       json_build_object('parser', (SELECT p.prsname FROM pg_ts_parser p WHERE p.oid = c.cfgparser), 'mapping',
         ARRAY(SELECT m.maptokentype || ' ' || m.mapdict::regdictionary FROM pg_ts_config_map m
           WHERE m.mapcfg = c.oid ORDER BY m.maptokentype, m.mapseqno))::text
  FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace WHERE n.nspname = ANY(%s)
UNION ALL
SELECT 'pg_ts_dict', d.oid, 'text search dictionary', n.nspname::text, d.dictname::text,
       json_build_object('template', t.tmplname::text, 'options', d.dictinitoption)::text
  FROM pg_ts_dict d JOIN pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_namespace n ON n.oid = d.dictnamespace
 WHERE n.nspname = ANY(%s)
"""

# Below 16384 lies what initdb made; of that only the schema public may have another comment.
COMMENTS = """
SELECT d.classoid::regclass::text, d.objoid, d.objsubid, d.description FROM pg_description d
 WHERE d.objoid >= 16384
    OR (d.classoid = 'pg_namespace'::regclass AND d.objoid > 2000 AND d.description <> 'standard public schema'
        AND d.objoid = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'public'))
"""
