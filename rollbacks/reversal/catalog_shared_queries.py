"""What the catalog queries share: which schemas and relations count, and that extensions own their members."""

from __future__ import annotations

# Objects that belong to an extension are the extension's business; its version is a fact of its own.
NOT_MEMBER = """
    NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
                 WHERE e.classid = '{catalog}'::pg_catalog.regclass AND e.objid = {oid} AND e.deptype = 'e')
"""


def not_member(catalog: str, oid: str) -> str:
    """Return the condition that the object with this OID, of this catalog, belongs to no extension."""
    return NOT_MEMBER.format(catalog=f"pg_catalog.{catalog}", oid=oid)


SCHEMAS = "n.nspname <> ALL (%(ignored)s) AND n.nspname !~ '^pg_(temp|toast_temp)_'"
RELATION = f"c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't' AND {SCHEMAS} AND {not_member('pg_class', 'c.oid')}"
FROM_RELATION = f"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {RELATION}"


def sorted_options(column: str) -> str:
    """Return an expression for storage or foreign options in one order, since they keep the order they were set in."""
    # Most have none, and the condition spares them the subquery.
    return (
        f"CASE WHEN {column} IS NOT NULL THEN "
        f"(SELECT pg_catalog.string_agg(o.text, ', ' ORDER BY o.text) FROM pg_catalog.unnest({column}) o(text)) END"
    )
