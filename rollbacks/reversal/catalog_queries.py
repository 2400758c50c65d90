"""The catalog queries: one for each kind of fact; the columns are the object's names and, last, what is true of it.

Every name is qualified and every text comes from the server's own pg_get_*def, so that nothing depends on
the search path or on how something was once written.
"""

from __future__ import annotations

# Objects that belong to an extension are the extension's business; its version is a fact of its own.
NOT_MEMBER = """
    NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                 WHERE e.classid = '{catalog}'::pg_catalog.regclass AND e.objid = {oid} AND e.deptype = 'e')
"""


def not_member(catalog: str, oid: str) -> str:
    return NOT_MEMBER.format(catalog=f"pg_catalog.{catalog}", oid=oid)


SCHEMAS = "n.nspname <> ALL (%(ignored)s) AND n.nspname !~ '^pg_(temp|toast_temp)_'"
RELATION = f"c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't' AND {SCHEMAS} AND {not_member('pg_class', 'c.oid')}"
FROM_RELATION = f"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}"

QUERIES: dict[str, str] = {
    "schema": f"SELECT n.nspname, '' FROM pg_catalog.pg_namespace n WHERE {SCHEMAS} AND {not_member('pg_namespace', 'n.oid')}",
    "relation": f"""
        SELECT n.nspname, c.relname, pg_catalog.concat_ws(' ',
               CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                              WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
               'persistence ' || c.relpersistence::text,
               CASE WHEN c.relrowsecurity THEN 'row security' END,
               CASE WHEN c.relforcerowsecurity THEN 'forced row security' END,
               'identity ' || c.relreplident::text,
               'options ' || c.reloptions::text,
               'of ' || NULLIF(c.reloftype, 0)::pg_catalog.regtype::text,
               (SELECT 'tablespace ' || s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace),
               (SELECT 'access method ' || a.amname FROM pg_catalog.pg_am a WHERE a.oid = c.relam),
               'by ' || pg_catalog.pg_get_partkeydef(c.oid),
               'bound ' || pg_catalog.pg_get_expr(c.relpartbound, c.oid))
        {FROM_RELATION}""",
    "inheritance": f"""
        SELECT n.nspname, c.relname, i.inhparent::pg_catalog.regclass::text
          FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}""",
    "column": f"""
        SELECT n.nspname, c.relname, a.attname, pg_catalog.concat_ws(' ',
               pg_catalog.format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attnotnull THEN 'not null' END,
               CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END,
               CASE WHEN a.attgenerated <> '' THEN 'generated ' || a.attgenerated::text END,
               'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
               CASE WHEN a.attcollation <> t.typcollation
                    THEN 'collate ' || a.attcollation::pg_catalog.regcollation::text END,
               'storage ' || a.attstorage::text,
               CASE WHEN a.attcompression <> '' THEN 'compression ' || a.attcompression::text END,
               'statistics ' || NULLIF(a.attstattarget, -1),
               'options ' || a.attoptions::text,
               CASE WHEN NOT a.attislocal THEN 'inherited' END)
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND {RELATION}""",
    "constraint": f"""
        SELECT n.nspname, COALESCE(k.conrelid::pg_catalog.regclass::text, k.contypid::pg_catalog.regtype::text), k.conname,
               pg_catalog.concat_ws(' ', pg_catalog.pg_get_constraintdef(k.oid),
                   CASE WHEN NOT k.convalidated THEN 'not validated' END,
                   CASE WHEN k.condeferrable THEN 'deferrable' END, CASE WHEN k.condeferred THEN 'deferred' END,
                   CASE WHEN NOT k.conislocal THEN 'inherited' END)
          FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
         WHERE k.contype <> 't' AND {SCHEMAS}
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                            WHERE e.objid IN (k.conrelid, k.contypid) AND e.deptype = 'e')""",
    "index": f"""
        SELECT n.nspname, c.relname, i.relname, pg_catalog.concat_ws(' ', pg_catalog.pg_get_indexdef(x.indexrelid),
               CASE WHEN NOT x.indisvalid THEN 'invalid' END,
               CASE WHEN x.indisclustered THEN 'clustered' END, CASE WHEN x.indisreplident THEN 'replica identity' END,
               'options ' || i.reloptions::text)
          FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
          JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}""",
    "sequence": f"""
        SELECT n.nspname, c.relname, pg_catalog.concat_ws(' ', s.seqtypid::pg_catalog.regtype::text,
               s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
               'persistence ' || c.relpersistence::text,
               (SELECT pg_catalog.string_agg('owned by ' || o.refobjid::pg_catalog.regclass::text || '.' || a.attname, ' ')
                  FROM pg_catalog.pg_depend o
                  JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
                 WHERE o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid
                   AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i')))
          FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {SCHEMAS} AND {not_member("pg_class", "c.oid")}""",
    "view": f"""
        SELECT n.nspname, c.relname, pg_catalog.concat_ws(' ', pg_catalog.pg_get_viewdef(c.oid),
               CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'with no data' END)
        {FROM_RELATION} AND c.relkind IN ('v', 'm')""",
    "function": f"""
        SELECT n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.pg_get_functiondef(p.oid)
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prokind <> 'a' AND {SCHEMAS} AND {not_member("pg_proc", "p.oid")}""",
    "aggregate": f"""
        SELECT n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.concat_ws(' ',
               g.aggkind, g.aggtransfn::text, g.aggfinalfn::text, g.aggtranstype::pg_catalog.regtype::text, g.agginitval,
               g.aggsortop::text)
          FROM pg_catalog.pg_aggregate g JOIN pg_catalog.pg_proc p ON p.oid = g.aggfnoid
          JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE {SCHEMAS} AND {not_member("pg_proc", "p.oid")}""",
    "trigger": f"""
        SELECT n.nspname, c.relname, t.tgname, pg_catalog.pg_get_triggerdef(t.oid) || ' enabled ' || t.tgenabled::text
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE NOT t.tgisinternal AND {RELATION}""",
    # Constraint triggers are internal, but a disabled one switches its foreign key off.
    "disabled constraint trigger": f"""
        SELECT n.nspname, c.relname, k.conname, t.tgenabled
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
          JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE t.tgisinternal AND t.tgenabled <> 'O' AND {RELATION}""",
    "rule": f"""
        SELECT n.nspname, c.relname, r.rulename, pg_catalog.pg_get_ruledef(r.oid) || ' enabled ' || r.ev_enabled::text
          FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE r.rulename <> '_RETURN' AND {RELATION}""",
    "policy": f"""
        SELECT n.nspname, c.relname, p.polname, pg_catalog.concat_ws(' ', p.polcmd,
               CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
               (SELECT 'to ' || pg_catalog.string_agg(COALESCE(r.rolname, 'public'), ',' ORDER BY r.rolname)
                  FROM pg_catalog.unnest(p.polroles) AS role(id) LEFT JOIN pg_catalog.pg_roles r ON r.oid = role.id),
               'using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
               'check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
          FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}""",
    "enum": f"""
        SELECT n.nspname, t.typname, pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
          LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
         WHERE t.typtype = 'e' AND {SCHEMAS} AND {not_member("pg_type", "t.oid")} GROUP BY 1, 2""",
    "domain": f"""
        SELECT n.nspname, t.typname, pg_catalog.concat_ws(' ', pg_catalog.format_type(t.typbasetype, t.typtypmod),
               CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
               CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::pg_catalog.regcollation::text END)
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
          JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype = 'd' AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}""",
    "composite type": f"""
        SELECT n.nspname, c.relname, pg_catalog.string_agg(
               a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind = 'c' AND {SCHEMAS} AND {not_member("pg_type", "c.reltype")} GROUP BY 1, 2""",
    "range": f"""
        SELECT n.nspname, t.typname, pg_catalog.concat_ws(' ', r.rngsubtype::pg_catalog.regtype::text,
               r.rngsubdiff::text, r.rngcanonical::text)
          FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
          JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE {SCHEMAS} AND {not_member("pg_type", "t.oid")}""",
    "collation": f"""
        SELECT n.nspname, l.collname, pg_catalog.concat_ws(' ', l.collprovider, l.collisdeterministic::text, l.collcollate)
          FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
         WHERE {SCHEMAS} AND {not_member("pg_collation", "l.oid")}""",
    "operator": f"""
        SELECT n.nspname, o.oprname, o.oprleft::pg_catalog.regtype::text, o.oprright::pg_catalog.regtype::text, o.oprcode::text
          FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
         WHERE {SCHEMAS} AND {not_member("pg_operator", "o.oid")}""",
    "cast": f"""
        SELECT k.castsource::pg_catalog.regtype::text, k.casttarget::pg_catalog.regtype::text,
               pg_catalog.concat_ws(' ', k.castcontext, k.castmethod, NULLIF(k.castfunc, 0)::pg_catalog.regprocedure::text)
          FROM pg_catalog.pg_cast k WHERE k.oid >= 16384 AND {not_member("pg_cast", "k.oid")}""",
    "statistics": f"""
        SELECT n.nspname, s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid)
          FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
         WHERE {SCHEMAS} AND {not_member("pg_statistic_ext", "s.oid")}""",
    "text search configuration": f"""
        SELECT n.nspname, g.cfgname, ''
          FROM pg_catalog.pg_ts_config g JOIN pg_catalog.pg_namespace n ON n.oid = g.cfgnamespace
         WHERE {SCHEMAS} AND {not_member("pg_ts_config", "g.oid")}""",
    "extension": """
        SELECT x.extname, n.nspname || ' ' || x.extversion
          FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace""",
    "event trigger": """
        SELECT v.evtname, pg_catalog.concat_ws(' ', v.evtevent, v.evtfoid::pg_catalog.regproc::text, v.evtenabled, v.evttags::text)
          FROM pg_catalog.pg_event_trigger v""",
    "publication": """
        SELECT p.pubname, pg_catalog.concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
               (SELECT pg_catalog.string_agg(r.prrelid::pg_catalog.regclass::text, ',' ORDER BY 1)
                  FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid))
          FROM pg_catalog.pg_publication p""",
    "comment": """
        SELECT i.type, i.identity, d.description
          FROM pg_catalog.pg_description d,
               LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
         WHERE d.objoid >= 16384 AND COALESCE(i.schema, '') <> ALL (%(ignored)s)
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                            WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')""",
    "security label": """
        SELECT i.type, i.identity, l.provider, l.label
          FROM pg_catalog.pg_seclabel l, LATERAL pg_catalog.pg_identify_object(l.classoid, l.objoid, l.objsubid) i""",
    "owner": f"""
        SELECT 'relation', n.nspname, c.relname, '', c.relowner::pg_catalog.regrole::text
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r','p','v','m','f','S') AND c.relpersistence <> 't' AND {SCHEMAS} AND {not_member("pg_class", "c.oid")}
        UNION ALL
        SELECT 'function', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid),
               p.proowner::pg_catalog.regrole::text
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         WHERE {SCHEMAS} AND {not_member("pg_proc", "p.oid")}
        UNION ALL
        SELECT 'type', n.nspname, t.typname, '', t.typowner::pg_catalog.regrole::text
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('e', 'd', 'r') AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}
        UNION ALL
        SELECT 'schema', n.nspname, '', '', n.nspowner::pg_catalog.regrole::text
          FROM pg_catalog.pg_namespace n WHERE {SCHEMAS}""",
    "grant": f"""
        SELECT o.kind, o.schema, o.name, o.arguments, COALESCE(NULLIF(g.grantee, 0)::pg_catalog.regrole::text, 'public'),
               g.privilege_type || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END, ''
          FROM (
            SELECT 'relation' AS kind, n.nspname AS schema, c.relname AS name, '' AS arguments, COALESCE(c.relacl,
                   pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS acl
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r','p','v','m','f','S') AND c.relpersistence <> 't' AND {SCHEMAS} AND {not_member("pg_class", "c.oid")}
            UNION ALL
            SELECT 'function', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid),
                   COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))
              FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
             WHERE {SCHEMAS} AND {not_member("pg_proc", "p.oid")}
            UNION ALL
            SELECT 'type', n.nspname, t.typname, '', COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))
              FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
             WHERE t.typtype IN ('e', 'd', 'r') AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}
            UNION ALL
            SELECT 'schema', n.nspname, '', '', COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))
              FROM pg_catalog.pg_namespace n WHERE {SCHEMAS}
          ) o, LATERAL pg_catalog.aclexplode(o.acl) g""",
    "column grant": f"""
        SELECT n.nspname, c.relname, a.attname, COALESCE(NULLIF(g.grantee, 0)::pg_catalog.regrole::text, 'public'),
               g.privilege_type || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END, ''
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, LATERAL pg_catalog.aclexplode(a.attacl) g
         WHERE a.attnum > 0 AND NOT a.attisdropped AND {RELATION}""",
    "default grant": """
        SELECT d.defaclrole::pg_catalog.regrole::text, COALESCE(n.nspname, ''), d.defaclobjtype, d.defaclacl::text
          FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace""",
}

COLUMN_ORDER = f"""
    SELECT n.nspname || '.' || c.relname,
           pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND {RELATION}
     GROUP BY 1
"""
