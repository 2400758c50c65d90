"""The catalog queries for what few schemas have: operators, casts, text search, replication, foreign data, comments."""

from __future__ import annotations

from rollbacks.reversal.catalog_shared_queries import RELATION, SCHEMAS, not_member, sorted_options

OPERATOR = "NULLIF({}, 0)::pg_catalog.regoperator::text"
PROCEDURE = "NULLIF({}, 0)::pg_catalog.regprocedure::text"
# Comments on what lives in a table name no schema of their own, so each is followed to its table's.
IN_RELATION = {"pg_trigger": "tgrelid", "pg_rewrite": "ev_class", "pg_policy": "polrelid", "pg_constraint": "conrelid"}
COMMENTS = " UNION ALL ".join(
    f"""SELECT i.type, i.identity, d.description FROM pg_catalog.pg_description d JOIN pg_catalog.{catalog} o ON o.oid = d.objoid
          JOIN pg_catalog.pg_class c ON c.oid = o.{relation} JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
          LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
         WHERE d.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND d.objoid >= 16384 AND {RELATION}"""
    for catalog, relation in IN_RELATION.items()
)

QUERIES: dict[str, str] = {
    "operator": f"""
        SELECT n.nspname, o.oprname, COALESCE(NULLIF(o.oprleft, 0)::pg_catalog.regtype::text, ''), o.oprright::pg_catalog.regtype::text,
               pg_catalog.concat_ws(' ', {PROCEDURE.format("o.oprcode")}, 'commutator ' || {OPERATOR.format("o.oprcom")},
               'negator ' || {OPERATOR.format("o.oprnegate")}, 'restrict ' || {PROCEDURE.format("o.oprrest")},
               'join ' || {PROCEDURE.format("o.oprjoin")}, CASE WHEN o.oprcanmerge THEN 'merges' END,
               CASE WHEN o.oprcanhash THEN 'hashes' END)
          FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
         WHERE {SCHEMAS} AND {not_member("pg_operator", "o.oid")}""",
    "operator family": f"""
        SELECT n.nspname, o.opfname, m.amname, ''
          FROM pg_catalog.pg_opfamily o JOIN pg_catalog.pg_am m ON m.oid = o.opfmethod
          JOIN pg_catalog.pg_namespace n ON n.oid = o.opfnamespace WHERE {SCHEMAS} AND {not_member("pg_opfamily", "o.oid")}""",
    "operator class": f"""
        SELECT n.nspname, o.opcname, m.amname, pg_catalog.concat_ws(' ', pg_catalog.format_type(o.opcintype, NULL),
               fn.nspname || '.' || f.opfname, CASE WHEN o.opcdefault THEN 'default' END,
               'storage ' || pg_catalog.format_type(NULLIF(o.opckeytype, 0), NULL))
          FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
          JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
          JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace WHERE {SCHEMAS} AND {not_member("pg_opclass", "o.oid")}""",
    "operator family member": f"""
        SELECT n.nspname, o.opfname, x.member, x.number, x.types, x.target
          FROM pg_catalog.pg_opfamily o JOIN pg_catalog.pg_namespace n ON n.oid = o.opfnamespace,
               LATERAL (SELECT 'operator' AS member, a.amopstrategy::text AS number, pg_catalog.format('%%s,%%s',
                               pg_catalog.format_type(a.amoplefttype, NULL), pg_catalog.format_type(a.amoprighttype, NULL)) AS types,
                               a.amopopr::pg_catalog.regoperator::text || ' ' || a.amoppurpose::text AS target
                          FROM pg_catalog.pg_amop a WHERE a.amopfamily = o.oid
                        UNION ALL
                        SELECT 'function', a.amprocnum::text, pg_catalog.format('%%s,%%s', pg_catalog.format_type(a.amproclefttype, NULL),
                               pg_catalog.format_type(a.amprocrighttype, NULL)), a.amproc::pg_catalog.regprocedure::text
                          FROM pg_catalog.pg_amproc a WHERE a.amprocfamily = o.oid) x
         WHERE {SCHEMAS} AND {not_member("pg_opfamily", "o.oid")}""",
    "cast": f"""
        SELECT k.castsource::pg_catalog.regtype::text, k.casttarget::pg_catalog.regtype::text,
               pg_catalog.concat_ws(' ', k.castcontext, k.castmethod, NULLIF(k.castfunc, 0)::pg_catalog.regprocedure::text)
          FROM pg_catalog.pg_cast k WHERE k.oid >= 16384 AND {not_member("pg_cast", "k.oid")}""",
    "base type": f"""
        SELECT n.nspname, t.typname, pg_catalog.concat_ws(' ', t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text,
               t.typmodin::text, t.typmodout::text, t.typanalyze::text, t.typsubscript::text, t.typlen, t.typbyval, t.typalign,
               t.typstorage, t.typcategory, t.typispreferred, t.typdelim, t.typdefault, t.typcollation::pg_catalog.regcollation::text)
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
           AND {SCHEMAS} AND {not_member("pg_type", "t.oid")}""",
    "statistics": f"""
        SELECT n.nspname, s.stxname, pg_catalog.concat_ws(' ', pg_catalog.pg_get_statisticsobjdef(s.oid),
               'target ' || NULLIF(s.stxstattarget, -1))
          FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
         WHERE {SCHEMAS} AND {not_member("pg_statistic_ext", "s.oid")}""",
    "conversion": f"""
        SELECT n.nspname, o.conname, pg_catalog.concat_ws(' ', pg_catalog.pg_encoding_to_char(o.conforencoding),
               pg_catalog.pg_encoding_to_char(o.contoencoding), o.conproc::pg_catalog.regprocedure::text, o.condefault)
          FROM pg_catalog.pg_conversion o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace
         WHERE {SCHEMAS} AND {not_member("pg_conversion", "o.oid")}""",
    "text search configuration": f"""
        SELECT n.nspname, g.cfgname, pg_catalog.concat_ws(' ', pn.nspname || '.' || p.prsname,
               (SELECT pg_catalog.string_agg(m.maptokentype || ':' || m.mapdict::pg_catalog.regdictionary::text, ', '
                       ORDER BY m.maptokentype, m.mapseqno) FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = g.oid))
          FROM pg_catalog.pg_ts_config g JOIN pg_catalog.pg_ts_parser p ON p.oid = g.cfgparser
          JOIN pg_catalog.pg_namespace pn ON pn.oid = p.prsnamespace JOIN pg_catalog.pg_namespace n ON n.oid = g.cfgnamespace
         WHERE {SCHEMAS} AND {not_member("pg_ts_config", "g.oid")}""",
    "text search dictionary": f"""
        SELECT n.nspname, g.dictname, pg_catalog.concat_ws(' ', tn.nspname || '.' || t.tmplname, g.dictinitoption)
          FROM pg_catalog.pg_ts_dict g JOIN pg_catalog.pg_ts_template t ON t.oid = g.dicttemplate
          JOIN pg_catalog.pg_namespace tn ON tn.oid = t.tmplnamespace JOIN pg_catalog.pg_namespace n ON n.oid = g.dictnamespace
         WHERE {SCHEMAS} AND {not_member("pg_ts_dict", "g.oid")}""",
    "language": f"""
        SELECT l.lanname, pg_catalog.concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'trusted' END, {PROCEDURE.format("l.lanplcallfoid")},
               {PROCEDURE.format("l.laninline")}, {PROCEDURE.format("l.lanvalidator")})
          FROM pg_catalog.pg_language l WHERE l.oid >= 16384 AND {not_member("pg_language", "l.oid")}""",
    "access method": f"""
        SELECT m.amname, m.amtype::text || ' ' || m.amhandler::text
          FROM pg_catalog.pg_am m WHERE m.oid >= 16384 AND {not_member("pg_am", "m.oid")}""",
    "transform": f"""
        SELECT pg_catalog.format_type(t.trftype, NULL), l.lanname,
               pg_catalog.concat_ws(' ', {PROCEDURE.format("t.trffromsql")}, {PROCEDURE.format("t.trftosql")})
          FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang WHERE {not_member("pg_transform", "t.oid")}""",
    "extension": """
        SELECT x.extname, n.nspname || ' ' || x.extversion
          FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace""",
    "extension dependency": """
        SELECT i.type, i.identity, x.extname, ''
          FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid,
               LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
         WHERE d.deptype = 'x' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
           AND COALESCE(i.schema, '') <> ALL (%(ignored)s)""",
    "event trigger": f"""
        SELECT v.evtname, pg_catalog.concat_ws(' ', v.evtevent, v.evtfoid::pg_catalog.regproc::text, v.evtenabled,
               {sorted_options("v.evttags")})
          FROM pg_catalog.pg_event_trigger v WHERE {not_member("pg_event_trigger", "v.oid")}""",
    "foreign data wrapper": f"""
        SELECT w.fdwname, pg_catalog.concat_ws(' ', {PROCEDURE.format("w.fdwhandler")}, {PROCEDURE.format("w.fdwvalidator")},
               {sorted_options("w.fdwoptions")})
          FROM pg_catalog.pg_foreign_data_wrapper w WHERE {not_member("pg_foreign_data_wrapper", "w.oid")}""",
    "foreign server": f"""
        SELECT s.srvname, pg_catalog.concat_ws(' ', w.fdwname, 'type ' || s.srvtype, 'version ' || s.srvversion,
               {sorted_options("s.srvoptions")})
          FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
         WHERE {not_member("pg_foreign_server", "s.oid")}""",
    "foreign table": f"""
        SELECT n.nspname, c.relname, pg_catalog.concat_ws(' ', s.srvname, {sorted_options("f.ftoptions")})
          FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
          JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}""",
    # The schema public has its comment from the start, and removing that is no change anybody makes.
    "comment": f"""
        SELECT i.type, i.identity, d.description
          FROM pg_catalog.pg_description d
          JOIN pg_catalog.pg_class c ON c.oid = d.objoid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
               LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
         WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid >= 16384
           AND {SCHEMAS} AND {not_member("pg_class", "c.oid")}
        UNION ALL {COMMENTS}
        UNION ALL
        SELECT i.type, i.identity, d.description
          FROM pg_catalog.pg_description d,
               LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
         WHERE (d.objoid >= 16384 OR d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                                 AND d.objoid = 'public'::pg_catalog.regnamespace AND d.description <> 'standard public schema')
           AND d.classoid NOT IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
                                  'pg_catalog.pg_rewrite'::pg_catalog.regclass, 'pg_catalog.pg_policy'::pg_catalog.regclass)
           AND (d.classoid <> 'pg_catalog.pg_constraint'::pg_catalog.regclass
                OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.oid = d.objoid AND k.contypid <> 0))
           AND COALESCE(i.schema, CASE WHEN d.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass THEN i.name END, '')
               <> ALL (%(ignored)s)
           AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                            WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')""",
    "security label": """
        SELECT i.type, i.identity, l.provider, l.label
          FROM pg_catalog.pg_seclabel l, LATERAL pg_catalog.pg_identify_object(l.classoid, l.objoid, l.objsubid) i
         WHERE COALESCE(i.schema, '') <> ALL (%(ignored)s)""",
}


def queries(version: int) -> dict[str, str]:
    """Return the queries with those that a server of this version number needs in its own form."""
    return {**QUERIES, "collation": _collation(version), **_publication(version)}


def _collation(version: int) -> str:
    locale = "NULL" if version < 150000 else "l.colliculocale" if version < 170000 else "l.colllocale"
    rules = "NULL" if version < 160000 else "l.collicurules"
    return f"""
        SELECT n.nspname, l.collname, pg_catalog.pg_encoding_to_char(l.collencoding), pg_catalog.concat_ws(' ', l.collprovider,
               l.collisdeterministic::text, l.collcollate, l.collctype, 'locale ' || {locale}, 'rules ' || {rules})
          FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
         WHERE {SCHEMAS} AND {not_member("pg_collation", "l.oid")}"""


def _publication(version: int) -> dict[str, str]:
    """Before 15 a publication had whole tables only, before 18 no generated columns."""
    filtered = version >= 150000
    columns = """(SELECT 'columns ' || pg_catalog.string_agg(a.attname, ',' ORDER BY a.attname) FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])), 'where ' || pg_catalog.pg_get_expr(r.prqual, r.prrelid)"""
    found = {
        "publication": f"""
        SELECT p.pubname, pg_catalog.concat_ws(' ', CASE WHEN p.puballtables THEN 'all tables' END,
               CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
               CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
               CASE WHEN p.pubviaroot THEN 'via root' END{", 'generated ' || p.pubgencols::text" if version >= 180000 else ""})
          FROM pg_catalog.pg_publication p""",
        "publication table": f"""
        SELECT p.pubname, n.nspname, c.relname, pg_catalog.concat_ws(' ', ''{", " + columns if filtered else ""})
          FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
          JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {SCHEMAS}""",
    }
    if filtered:
        found["publication schema"] = f"""
        SELECT p.pubname, n.nspname, ''
          FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace s ON s.pnpubid = p.oid
          JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid WHERE {SCHEMAS}"""
    return found
