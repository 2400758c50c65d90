"""`manage.py grant_app_role`: give the web and worker role its rights, and none to change what is kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

# Rows of these tables are added and read, never changed: triggers refuse it, and so do the grants.
KEPT = ("records_fact", "records_changerecord", "approvals_signoff", "approvals_challenge")
# The one exception: a challenge is marked as used.
MARKED = {"approvals_challenge": "used_at"}


class Command(BaseCommand):
    """Grant the application's role what it needs; run it as the owner after every migrate."""

    help = "Grant the application's database role its rights; run it as the owner after every migrate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role")

    def handle(self, *args: Any, **options: Any) -> None:
        role = sql.Identifier(options["role"])
        with connection.cursor() as cursor:
            for statement in (
                "GRANT USAGE ON SCHEMA public TO {}",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
                "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
            ):
                cursor.execute(sql.SQL(statement).format(role))
            for table in KEPT:
                cursor.execute(
                    sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), role)
                )
            for table, column in MARKED.items():
                grant = sql.SQL("GRANT UPDATE ({}) ON {} TO {}")
                cursor.execute(grant.format(sql.Identifier(column), sql.Identifier(table), role))
        self.stdout.write(_("The role %(role)s may use the portal's tables.") % {"role": options["role"]})
