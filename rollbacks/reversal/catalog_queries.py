"""The catalog queries: one for each kind of fact; the columns are the object's names and, last, what is true of it.

Every name is qualified and every text comes from the server's own pg_get_*def, so that nothing depends on
the search path or on how something was once written. Written for PostgreSQL 14 to 18.
"""

from __future__ import annotations

from rollbacks.reversal import catalog_access_queries, catalog_rare_queries
from rollbacks.reversal.catalog_shared_queries import FROM_RELATION, RELATION, SCHEMAS, not_member, sorted_options

__all__ = ["RELATION", "SCHEMAS", "not_member", "queries"]

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
               'options ' || {sorted_options("c.reloptions")},
               'toast options ' || (SELECT {sorted_options("t.reloptions")} FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid),
               'of ' || NULLIF(c.reloftype, 0)::pg_catalog.regtype::text,
               CASE WHEN c.reltablespace <> 0 THEN
                   (SELECT 'tablespace ' || s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = c.reltablespace) END,
               (SELECT 'access method ' || a.amname FROM pg_catalog.pg_am a WHERE a.oid = c.relam),
               'by ' || pg_catalog.pg_get_partkeydef(c.oid),
               'bound ' || pg_catalog.pg_get_expr(c.relpartbound, c.oid))
        {FROM_RELATION}""",
    "inheritance": f"""
        SELECT n.nspname, c.relname, i.inhparent::pg_catalog.regclass::text,
               CASE WHEN i.inhdetachpending THEN 'detach pending' ELSE '' END
          FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}""",
    # The number behind the fact is the place of the column in its table, which is kept apart.
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
               'options ' || {sorted_options("a.attoptions")},
               'foreign options ' || {sorted_options("a.attfdwoptions")},
               CASE WHEN NOT a.attislocal THEN 'inherited' END),
               CASE WHEN c.relkind IN ('r', 'p', 'f') THEN a.attnum END
          FROM pg_catalog.pg_attribute a
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND {RELATION}""",
    "constraint": f"""
        SELECT n.nspname, c.relname, k.conname,
               pg_catalog.concat_ws(' ', pg_catalog.pg_get_constraintdef(k.oid),
                   CASE WHEN NOT k.convalidated THEN 'not validated' END,
                   CASE WHEN k.condeferrable THEN 'deferrable' END, CASE WHEN k.condeferred THEN 'deferred' END,
                   CASE WHEN NOT k.conislocal THEN 'inherited' END)
          FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE k.contype <> 't' AND {RELATION}""",
    "domain constraint": f"""
        SELECT n.nspname, t.typname, k.conname,
               pg_catalog.concat_ws(' ', pg_catalog.pg_get_constraintdef(k.oid), CASE WHEN NOT k.convalidated THEN 'not validated' END)
          FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type t ON t.oid = k.contypid
          JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE {SCHEMAS} AND {not_member("pg_type", "t.oid")}""",
    "index": f"""
        SELECT n.nspname, c.relname, i.relname, pg_catalog.concat_ws(' ', pg_catalog.pg_get_indexdef(x.indexrelid),
               CASE WHEN NOT x.indisvalid THEN 'invalid' END,
               CASE WHEN x.indisclustered THEN 'clustered' END, CASE WHEN x.indisreplident THEN 'replica identity' END,
               CASE WHEN i.reltablespace <> 0 THEN
                   (SELECT 'tablespace ' || s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = i.reltablespace) END,
               'statistics ' || st.targets,
               CASE WHEN i.relispartition THEN
                   (SELECT 'attached to ' || p.inhparent::pg_catalog.regclass::text FROM pg_catalog.pg_inherits p WHERE p.inhrelid = i.oid)
               END)
          FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
          JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
          LEFT JOIN (SELECT a.attrelid, pg_catalog.string_agg(a.attnum || ':' || a.attstattarget, ',' ORDER BY a.attnum) AS targets
                       FROM pg_catalog.pg_attribute a WHERE a.attnum > 0 AND a.attstattarget >= 0 GROUP BY 1) st ON st.attrelid = i.oid
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
               'returns ' || pg_catalog.format_type(p.prorettype, NULL), 'kind ' || g.aggkind::text, 'direct ' || g.aggnumdirectargs,
               'transition ' || g.aggtransfn::text, 'final ' || g.aggfinalfn::text, 'combine ' || g.aggcombinefn::text,
               'serial ' || g.aggserialfn::text, 'deserial ' || g.aggdeserialfn::text,
               'moving ' || g.aggmtransfn::text, g.aggminvtransfn::text, g.aggmfinalfn::text,
               'extra ' || g.aggfinalextra::text, g.aggmfinalextra::text, 'modify ' || g.aggfinalmodify::text, g.aggmfinalmodify::text,
               'state ' || pg_catalog.format_type(g.aggtranstype, NULL), g.aggtransspace, g.agginitval,
               'moving state ' || pg_catalog.format_type(NULLIF(g.aggmtranstype, 0), NULL), g.aggmtransspace, g.aggminitval,
               'sort ' || NULLIF(g.aggsortop, 0)::pg_catalog.regoperator::text,
               'volatile ' || p.provolatile::text, 'parallel ' || p.proparallel::text, 'strict ' || p.proisstrict::text)
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
               pg_catalog.concat_ws(' ', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                   CASE WHEN a.attcollation <> 0 THEN 'collate ' || a.attcollation::pg_catalog.regcollation::text END), ', ' ORDER BY a.attnum)
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind = 'c' AND {SCHEMAS} AND {not_member("pg_type", "c.reltype")} GROUP BY 1, 2""",
    "range": f"""
        SELECT n.nspname, t.typname, pg_catalog.concat_ws(' ', r.rngsubtype::pg_catalog.regtype::text,
               NULLIF(r.rngsubdiff, 0)::pg_catalog.regproc::text, NULLIF(r.rngcanonical, 0)::pg_catalog.regproc::text,
               'collate ' || NULLIF(r.rngcollation, 0)::pg_catalog.regcollation::text,
               (SELECT 'class ' || cn.nspname || '.' || o.opcname FROM pg_catalog.pg_opclass o
                  JOIN pg_catalog.pg_namespace cn ON cn.oid = o.opcnamespace WHERE o.oid = r.rngsubopc),
               'multirange ' || pg_catalog.format_type(NULLIF(r.rngmultitypid, 0), NULL))
          FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
          JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE {SCHEMAS} AND {not_member("pg_type", "t.oid")}""",
}


def queries(version: int) -> dict[str, str]:
    """Return the query of each kind for a server of this version number, such as 180006."""
    return {**QUERIES, **catalog_rare_queries.queries(version), **catalog_access_queries.QUERIES}
