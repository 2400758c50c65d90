"""Reading a target as it is now: identity, ledger, repository files and every violation between them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import psycopg

from rollbacks.adapters import ledger as ledgers
from rollbacks.adapters import target as targets
from rollbacks.adapters.repository import Repository, RepositoryError
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.drizzle.inventory import inventory
from rollbacks.drizzle.journal import Folder, JournalUnreadable, Layout
from rollbacks.drizzle.layouts import file_of, read_folder, violations
from rollbacks.drizzle.preflight import Ledger, Violation
from rollbacks.ownership import PLACES, owners_of
from rollbacks.plan import LedgerHead, Plan
from rollbacks.ports import TargetSettings
from rollbacks.reversal.catalog import read_facts
from rollbacks.reversal.immutability import KINDS, Protection, protections
from rollbacks.reversal.outlook import outlook


class Unobservable(Exception):
    """The target or its repository could not be read; the sentence says which and what to do next."""


@dataclass(frozen=True)
class Observation:
    """What a worker found at one moment."""

    identity: targets.Identity
    ledger: Ledger
    folder: Folder
    base_commit: str
    violations: tuple[Violation, ...]
    audit_tables: tuple[str, ...]
    layout: Layout
    codeowners: str = ""
    protections: tuple[Protection, ...] = ()

    @property
    def ledger_head(self) -> LedgerHead:
        """The newest row of the ledger, as Drizzle's migrate() would choose it."""
        return head_of(self.ledger)

    def identity_document(self) -> dict[str, Any]:
        """Return the part of a plan's target identity that comes from the database itself."""
        return {
            "system_identifier": self.identity.system_identifier,
            "database": self.identity.database,
            "database_oid": self.identity.database_oid,
            "server_major": self.identity.major,
        }

    def content(self) -> dict[str, Any]:
        """Return the inventory as plain JSON, for the pages and for building plans."""
        rows = inventory(self.folder, self.ledger)
        return {
            "identity": self.identity_document(),
            "ledger_head": asdict(self.ledger_head),
            "base_commit": self.base_commit,
            "violations": [
                {"code": each.code, "sentence": each.sentence, "blocks": each.blocks} for each in self.violations
            ],
            "migrations": [self._migration(row) for row in rows],
            "protections": [each.document() for each in self.protections],
            "owners": {row.tag: list(owners_of(self.codeowners, [self._path(row.tag)])) for row in rows},
        }

    def _path(self, tag: str) -> str:
        """Return where the migration's file is in the repository."""
        return str(PurePosixPath(self.layout.out) / file_of(self.folder, tag))

    def _migration(self, row: Any) -> dict[str, Any]:
        migration = next(each for each in self.folder.migrations if each.tag == row.tag)
        view = outlook(
            migration.sql or "", first=migration is self.folder.migrations[0], audit_tables=self.audit_tables
        )
        return {
            "idx": row.idx,
            "tag": row.tag,
            "when": row.when,
            "description": row.description,
            "applied_at": row.applied_at,
            "hash_matches": row.hash_matches,
            "sha256": migration.sha256 or "",
            "sql": migration.sql or "",
            "reversible": view.level,
            "reversible_sentence": view.sentence,
            "impacts": list(view.impacts),
        }


def observe_target(settings: TargetSettings, *, environ: Mapping[str, str]) -> Observation:
    """Read the target's database over its direct URL and its migrations at the base branch of its repository.

    Raises Unobservable with one sentence; nothing is changed anywhere.
    """
    try:
        base_commit, folder = read_migrations(settings)
        codeowners = Repository(settings.repository).read_first(base_commit, PLACES)
        with connect_directly(settings, environ) as connection:
            identity = targets.identity(connection)
            ledger = ledgers.read_ledger(connection, settings.layout)
            connection.rollback()
            facts = read_facts(connection, ignore_schemas={settings.layout.ledger_schema}, kinds=KINDS)
    except (RepositoryError, JournalUnreadable, *targets.REFUSALS, psycopg.Error) as error:
        raise Unobservable(one_sentence(error)) from error
    found = violations(folder, ledger, layout=settings.layout, now_ms=time.time_ns() // 1_000_000)
    protected = tuple(sorted(protections(facts, settings.audit_tables)))
    return Observation(
        identity, ledger, folder, base_commit, found, settings.audit_tables, settings.layout, codeowners, protected
    )


def read_migrations(settings: TargetSettings, *, ref: str = "") -> tuple[str, Folder]:
    """Return the commit and the migrations folder at `ref`, or at the base branch as the remote has it."""
    repository = Repository(settings.repository)
    commit = repository.head(ref or repository.base_ref(settings.base_branch))
    files = repository.read_files(commit, settings.layout.out)
    return commit, read_folder(files)


def connect_directly(
    settings: TargetSettings,
    environ: Mapping[str, str],
    *,
    application_name: str = "rollback-portal",
    autocommit: bool = False,
) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect to the target over the direct URL; a pooler on the way is refused, because DDL cannot go through one."""
    credentials = targets.credentials_of(settings.name, environ)
    targets.refuse_pooler(credentials)
    return targets.connect(credentials, application_name=application_name, autocommit=autocommit)


def lock_target(connection: targets.Connection, plan: Plan, seconds: float) -> bool:
    """Take the lock under which a plan is applied, whatever the way; False when another session keeps it so long."""
    key = targets.target_lock_key(plan.target.system_identifier + plan.target.database)
    return targets.wait_target_lock(connection, key, seconds)


def head_of(ledger: Ledger) -> LedgerHead:
    """Return the row that migrate() goes by: the greatest created_at; zeros for an empty ledger."""
    newest = max(ledger.rows, key=lambda row: (row.created_at or 0, row.id), default=None)
    if newest is None:
        return LedgerHead(rows=0, created_at=0, hash="")
    return LedgerHead(rows=len(ledger.rows), created_at=newest.created_at or 0, hash=newest.hash)
