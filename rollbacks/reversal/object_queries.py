"""The queries by which objects are read with the DDL that makes them; names in them are qualified and quoted.

Each query returns: class and OIDs by which pg_depend knows the object, its names, then what is true of it.
Objects of extensions are left out. Written for PostgreSQL 14 to 18.
"""

from __future__ import annotations

from rollbacks.reversal.catalog_queries import RELATION, SCHEMAS, not_member

TABLES = f"""
    SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.relrowsecurity, c.relforcerowsecurity,
           c.reloptions::text, pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid),
           c.reltype, CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
           CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN 'USING INDEX ' ||
               (SELECT pg_catalog.quote_ident(i.relname) FROM pg_catalog.pg_index x
                  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident) END,
           (SELECT pg_catalog.quote_ident(i.relname) FROM pg_catalog.pg_index x
              JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisclustered),
           (SELECT pg_catalog.string_agg(pg_catalog.format('%%I.%%I', m.nspname, p.relname), ', ' ORDER BY h.inhseqno)
              FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
              JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace WHERE h.inhrelid = c.oid)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE {RELATION}"""

COLUMNS = f"""
    SELECT a.attrelid, a.attnum, n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
           a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::pg_catalog.regcollation::text END,
           CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END,
           NULLIF(a.attstattarget, -1)::text, d.oid,
           (SELECT k.conname FROM pg_catalog.pg_constraint k
             WHERE k.contype::text = 'n' AND k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey)),
           a.atttypid,
           (SELECT pg_catalog.format('START WITH %%s INCREMENT BY %%s MINVALUE %%s MAXVALUE %%s CACHE %%s%%s', s.seqstart,
                   s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)
              FROM pg_catalog.pg_depend o JOIN pg_catalog.pg_sequence s ON s.seqrelid = o.objid
             WHERE o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.deptype = 'i'
               AND o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass),
           (SELECT o.objid::pg_catalog.regclass::text FROM pg_catalog.pg_depend o
             WHERE o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.deptype = 'i'
               AND o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
               AND o.objid IN (SELECT seqrelid FROM pg_catalog.pg_sequence)),
           NULLIF(a.attcompression::text, ''), a.attoptions::text,
           (SELECT 'yes' FROM pg_catalog.pg_depend o WHERE o.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
               AND o.objid = COALESCE(NULLIF(t.typelem, 0), t.oid) AND o.deptype = 'e'),
           CASE WHEN a.attinhcount > 0 AND NOT a.attislocal THEN 'yes' END
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND {RELATION}
     ORDER BY a.attrelid, a.attnum"""

CONSTRAINTS = f"""
    SELECT k.oid, n.nspname, c.relname, k.conname, k.contype::text, pg_catalog.pg_get_constraintdef(k.oid),
           k.conindid, (SELECT pg_catalog.array_agg(a.attname::text ORDER BY p.position)
                          FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS p(number, position)
                          JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number)
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype::text IN ('p', 'u', 'c', 'f', 'x') AND k.conparentid = 0 AND (k.conislocal OR k.coninhcount = 0)
       AND {RELATION}"""

INDEXES = f"""
    SELECT x.indexrelid, n.nspname, c.relname, i.relname,
           -- Made on the parent alone it would stay invalid; the partitions' own come with it.
           CASE WHEN i.relkind = 'I' THEN pg_catalog.replace(pg_catalog.pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ')
                ELSE pg_catalog.pg_get_indexdef(x.indexrelid) END
      FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
      JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE {RELATION} AND NOT i.relispartition
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid
                                         AND k.contype::text IN ('p', 'u', 'x'))"""

SEQUENCES = f"""
    SELECT c.oid, n.nspname, c.relname, pg_catalog.format(
               'AS %%s START WITH %%s INCREMENT BY %%s MINVALUE %%s MAXVALUE %%s CACHE %%s%%s', s.seqtypid::pg_catalog.regtype,
               s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
               CASE WHEN s.seqcycle THEN ' CYCLE' ELSE ' NO CYCLE' END),
           (SELECT pg_catalog.format('%%s.%%I', o.refobjid::pg_catalog.regclass, a.attname) FROM pg_catalog.pg_depend o
              JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
             WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid AND o.deptype = 'a'
               AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass),
           (SELECT ARRAY[ns.nspname, t.relname, a.attname]::text[] FROM pg_catalog.pg_depend o
              JOIN pg_catalog.pg_class t ON t.oid = o.refobjid JOIN pg_catalog.pg_namespace ns ON ns.oid = t.relnamespace
              JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
             WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid AND o.deptype = 'a'
               AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
      FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE {SCHEMAS} AND {not_member("pg_class", "c.oid")}
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend i WHERE i.objid = c.oid AND i.deptype = 'i'
                          AND i.classid = 'pg_catalog.pg_class'::pg_catalog.regclass)"""

FUNCTIONS = f"""
    SELECT p.oid, n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), p.prokind::text,
           pg_catalog.pg_get_functiondef(p.oid), pg_catalog.pg_get_function_result(p.oid),
           pg_catalog.pg_get_function_arguments(p.oid)
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE p.prokind <> 'a' AND {SCHEMAS} AND {not_member("pg_proc", "p.oid")}"""

TRIGGERS = f"""
    SELECT t.oid, n.nspname, c.relname, t.tgname, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled::text
      FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {RELATION}"""

RULES = f"""
    SELECT r.oid, n.nspname, c.relname, r.rulename, pg_catalog.pg_get_ruledef(r.oid), c.relkind::text
      FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}"""

POLICIES = f"""
    SELECT p.oid, n.nspname, c.relname, p.polname, pg_catalog.concat_ws(' ',
               CASE WHEN p.polpermissive THEN 'AS PERMISSIVE' ELSE 'AS RESTRICTIVE' END,
               'FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                       WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
               'TO ' || (SELECT pg_catalog.string_agg(COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'), ', ' ORDER BY r.rolname)
                           FROM pg_catalog.unnest(p.polroles) AS role(id) LEFT JOIN pg_catalog.pg_roles r ON r.oid = role.id),
               'USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
               'WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')')
      FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}"""

TYPES = f"""
    SELECT t.oid, n.nspname, t.typname, t.typtype::text,
           (SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
              FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
           CASE t.typtype WHEN 'd' THEN pg_catalog.concat_ws(' ', pg_catalog.format_type(t.typbasetype, t.typtypmod),
                   'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END,
                   (SELECT pg_catalog.string_agg(pg_catalog.format('CONSTRAINT %%I %%s', k.conname,
                           pg_catalog.pg_get_constraintdef(k.oid)), ' ' ORDER BY k.conname)
                      FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype::text = 'c'))
               WHEN 'c' THEN (SELECT pg_catalog.string_agg(pg_catalog.format('%%I %%s', a.attname,
                           pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
                      FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
           END
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE (t.typtype IN ('e', 'd') OR t.typtype = 'c' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class c
            WHERE c.oid = t.typrelid AND c.relkind = 'c')) AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}"""

SCHEMA_NAMES = f"""
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n WHERE {SCHEMAS} AND {not_member("pg_namespace", "n.oid")}"""

EXTENSIONS = """
    SELECT x.oid, x.extname, n.nspname FROM pg_catalog.pg_extension x
      JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'"""

STATISTICS = f"""
    SELECT s.oid, n.nspname, s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid), NULLIF(s.stxstattarget, -1)::text
      FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
     WHERE {SCHEMAS} AND {not_member("pg_statistic_ext", "s.oid")}"""

COMMENTS = """
    SELECT d.classoid::pg_catalog.regclass::text, d.objoid, d.objsubid, d.description
      FROM pg_catalog.pg_description d WHERE d.objoid >= 16384"""

GRANTS = f"""
    SELECT o.kind, o.schema, o.name, o.arguments, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'),
           g.privilege_type, g.is_grantable
      FROM (
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, n.nspname AS schema, c.relname AS name,
               NULL::text AS arguments, c.relowner AS owner, c.relacl AS acl
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r','p','v','m','f','S') AND c.relpersistence <> 't' AND {SCHEMAS} AND {not_member("pg_class", "c.oid")}
        UNION ALL
        SELECT 'FUNCTION', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), p.proowner,
               COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE {SCHEMAS} AND {not_member("pg_proc", "p.oid")} AND p.prokind <> 'a'
        UNION ALL
        SELECT 'TYPE', n.nspname, t.typname, NULL, t.typowner, COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('e', 'd') AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}
        UNION ALL
        SELECT 'SCHEMA', n.nspname, '', NULL, n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n WHERE {SCHEMAS}
      ) o, LATERAL pg_catalog.aclexplode(o.acl) g LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.grantee
     WHERE g.grantee <> o.owner"""

DEPENDENCIES = """
    SELECT d.classid::pg_catalog.regclass::text, d.objid, d.objsubid,
           d.refclassid::pg_catalog.regclass::text, d.refobjid, d.refobjsubid, d.deptype::text
      FROM pg_catalog.pg_depend d WHERE d.objid >= 16384 AND d.refobjid >= 2200 AND d.deptype <> 'e'"""

ARRAYS = "SELECT t.oid, t.typelem FROM pg_catalog.pg_type t WHERE t.typelem >= 16384 AND t.typcategory = 'A'"
