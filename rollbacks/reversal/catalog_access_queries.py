"""The catalog queries for who owns what and who may do what: kinds that a scratch server cannot have.

Privileges are compared one by one. No grant list at all and the default written out are the same thing.
"""

from __future__ import annotations

from rollbacks.reversal.catalog_shared_queries import RELATION, SCHEMAS, not_member

RELATIONS = f"""pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r','p','v','m','f','S') AND c.relpersistence <> 't' AND {SCHEMAS} AND {not_member("pg_class", "c.oid")}"""
ROUTINES = f"""pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE {SCHEMAS} AND {not_member("pg_proc", "p.oid")}"""
# Row types of tables and array types share their owner and have no grants of their own.
TYPES = f"""pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE (t.typtype IN ('e', 'd', 'r', 'm') OR t.typtype = 'b' AND t.typsubscript <> 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
            OR t.typtype = 'c' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
       AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}"""
SCHEMATA = f"pg_catalog.pg_namespace n WHERE {SCHEMAS} AND {not_member('pg_namespace', 'n.oid')}"
IDENTITY = "pg_catalog.pg_get_function_identity_arguments(p.oid)"
SERVERS = f"pg_catalog.pg_foreign_server s WHERE {not_member('pg_foreign_server', 's.oid')}"
WRAPPERS = f"pg_catalog.pg_foreign_data_wrapper w WHERE {not_member('pg_foreign_data_wrapper', 'w.oid')}"
LANGUAGES = f"pg_catalog.pg_language l WHERE l.oid >= 16384 AND {not_member('pg_language', 'l.oid')}"

OWNERS = {
    "collation": ("coll", "pg_collation"),
    "operator": ("opr", "pg_operator"),
    "operator class": ("opc", "pg_opclass"),
    "operator family": ("opf", "pg_opfamily"),
    "statistics": ("stx", "pg_statistic_ext"),
    "text search configuration": ("cfg", "pg_ts_config"),
    "text search dictionary": ("dict", "pg_ts_dict"),
    "conversion": ("con", "pg_conversion"),
}
OTHER_OWNERS = " UNION ALL ".join(
    f"SELECT '{kind}', n.nspname, o.{prefix}name, '', o.{prefix}owner FROM pg_catalog.{catalog} o"
    f"  JOIN pg_catalog.pg_namespace n ON n.oid = o.{prefix}namespace WHERE {SCHEMAS} AND {not_member(catalog, 'o.oid')}"
    for kind, (prefix, catalog) in OWNERS.items()
)

QUERIES: dict[str, str] = {
    "owner": f"""
        SELECT o.kind, o.schema, o.name, o.arguments, o.owner::pg_catalog.regrole::text FROM (
            SELECT 'relation' AS kind, n.nspname AS schema, c.relname AS name, '' AS arguments, c.relowner AS owner FROM {RELATIONS}
            UNION ALL SELECT 'function', n.nspname, p.proname, {IDENTITY}, p.proowner FROM {ROUTINES}
            UNION ALL SELECT 'type', n.nspname, t.typname, '', t.typowner FROM {TYPES}
            UNION ALL SELECT 'schema', n.nspname, '', '', n.nspowner FROM {SCHEMATA}
            UNION ALL {OTHER_OWNERS}
            UNION ALL SELECT 'foreign server', '', s.srvname, '', s.srvowner FROM {SERVERS}
            UNION ALL SELECT 'foreign data wrapper', '', w.fdwname, '', w.fdwowner FROM {WRAPPERS}
            UNION ALL SELECT 'language', '', l.lanname, '', l.lanowner FROM {LANGUAGES}
            UNION ALL SELECT 'publication', '', pubname, '', pubowner FROM pg_catalog.pg_publication
            UNION ALL SELECT 'event trigger', '', evtname, '', evtowner FROM pg_catalog.pg_event_trigger
            UNION ALL SELECT 'extension', '', extname, '', extowner FROM pg_catalog.pg_extension
            UNION ALL SELECT 'large object', '', l.oid::text, '', l.lomowner FROM pg_catalog.pg_largeobject_metadata l
        ) o""",
    "grant": f"""
        SELECT o.kind, o.schema, o.name, o.arguments, COALESCE(NULLIF(g.grantee, 0)::pg_catalog.regrole::text, 'public'),
               g.privilege_type || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END, ''
          FROM (
            SELECT 'relation' AS kind, n.nspname AS schema, c.relname AS name, '' AS arguments, COALESCE(c.relacl,
                   pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS acl
              FROM {RELATIONS}
            UNION ALL SELECT 'function', n.nspname, p.proname, {IDENTITY}, COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))
              FROM {ROUTINES}
            UNION ALL SELECT 'type', n.nspname, t.typname, '', COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner)) FROM {TYPES}
            UNION ALL SELECT 'schema', n.nspname, '', '', COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner)) FROM {SCHEMATA}
            UNION ALL SELECT 'foreign server', '', s.srvname, '', COALESCE(s.srvacl, pg_catalog.acldefault('S', s.srvowner)) FROM {SERVERS}
            UNION ALL SELECT 'foreign data wrapper', '', w.fdwname, '', COALESCE(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner))
              FROM {WRAPPERS}
            UNION ALL SELECT 'language', '', l.lanname, '', COALESCE(l.lanacl, pg_catalog.acldefault('l', l.lanowner))
              FROM pg_catalog.pg_language l WHERE l.lanpltrusted
          ) o, LATERAL pg_catalog.aclexplode(o.acl) g""",
    "column grant": f"""
        SELECT n.nspname, c.relname, a.attname, COALESCE(NULLIF(g.grantee, 0)::pg_catalog.regrole::text, 'public'),
               g.privilege_type || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END, ''
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, LATERAL pg_catalog.aclexplode(a.attacl) g
         WHERE a.attacl IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped AND {RELATION}""",
    "default grant": """
        SELECT d.defaclrole::pg_catalog.regrole::text, COALESCE(n.nspname, ''), d.defaclobjtype::text,
               COALESCE(NULLIF(g.grantee, 0)::pg_catalog.regrole::text, 'public'),
               g.privilege_type || CASE WHEN g.is_grantable THEN ' with grant option' ELSE '' END, ''
          FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace,
               LATERAL pg_catalog.aclexplode(d.defaclacl) g
         WHERE COALESCE(n.nspname, '') <> ALL (%(ignored)s)""",
    # The options hold passwords and are left alone.
    "user mapping": """
        SELECT m.srvname, m.usename, '' FROM pg_catalog.pg_user_mappings m""",
    # A restored subscription is switched off, and a copy must not have it at all.
    "subscription": """
        SELECT s.subname, pg_catalog.concat_ws(' ', CASE WHEN s.subenabled THEN 'enabled' ELSE 'disabled' END,
               'slot ' || s.subslotname, 'commit ' || s.subsynccommit, 'binary ' || s.subbinary::text,
               'of ' || (SELECT pg_catalog.string_agg(p.name, ',' ORDER BY p.name) FROM pg_catalog.unnest(s.subpublications) p(name)))
          FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
         WHERE d.datname = pg_catalog.current_database()""",
}
