"""What the worker's role on a target must be able to do, and what it must not (docs/deployment.md has the GRANT script)."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from rollbacks.adapters.target import NotPrivileged
from rollbacks.drizzle.journal import Layout

Connection = psycopg.Connection[tuple[Any, ...]]

# Whoever has these leaves the database: programs and files of the server's host.
OUTSIDE = ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")
POWERS = """
    SELECT r.rolname, r.rolname = current_user,
           CASE WHEN r.rolsuper THEN 'is a superuser' WHEN r.rolcreaterole THEN 'may create roles'
                WHEN r.rolreplication THEN 'may replicate' ELSE 'reaches files or programs of the server' END
      FROM pg_catalog.pg_roles r
     WHERE pg_catalog.pg_has_role(r.oid, 'MEMBER')
       AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolname = ANY (%s))
     ORDER BY r.rolname <> current_user, r.rolname LIMIT 1"""


def refuse_powerful_role(connection: Connection) -> None:
    """Raise NotPrivileged when the role could do more than change this database (acceptance F14).

    Signed SQL runs as this role: what it cannot do needs no reviewer to notice it.
    """
    row = connection.execute(POWERS, [list(OUTSIDE)]).fetchone()
    if row is None:
        return
    name, itself, power = row
    how = power if itself else f"is a member of {name}, which {power}"
    raise NotPrivileged(
        f"The worker's role on the target {how}; a rollback must not have that. "
        "Give the worker a role of its own with the script in docs/deployment.md, then start again."
    )


def refuse_missing_privileges(connection: Connection, *, layout: Layout, owner_role: str) -> None:
    """Raise NotPrivileged when the role may not write the ledger or become the owner of the objects."""
    if owner_role:
        row = connection.execute(
            "SELECT pg_catalog.pg_has_role(r.oid, 'MEMBER') FROM pg_catalog.pg_roles r WHERE r.rolname = %s",
            [owner_role],
        ).fetchone()
        if row is None or not row[0]:
            raise NotPrivileged(f"The worker's role is not a member of {owner_role}, which owns the objects; grant it.")
    table = sql.Identifier(layout.ledger_schema, layout.ledger_table).as_string(connection)
    row = connection.execute(
        "SELECT pg_catalog.has_table_privilege(pg_catalog.to_regclass(%s), 'SELECT') "
        "   AND pg_catalog.has_table_privilege(pg_catalog.to_regclass(%s), 'INSERT')",
        [table, table],
    ).fetchone()
    if row is None or not row[0]:
        raise NotPrivileged(
            f"The worker's role may not read and write the ledger {table}; grant SELECT and INSERT on it."
        )
