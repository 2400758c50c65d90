"""`manage.py reversal draft|prove|assess|facts|compare`: the reversal engine without portal, broker or database.

docs/cli.md documents the output and the exit codes, which pipelines rely on.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from portal.embedded.postgres import Postgres
from portal.embedded.state import EmbeddedError, State
from rollbacks.adapters import target as targets
from rollbacks.adapters.ledger import Unreplayable
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.squawk import second_opinion
from rollbacks.drizzle.journal import Folder, JournalUnreadable, Layout
from rollbacks.drizzle.layouts import read_folder
from rollbacks.reversal import parse
from rollbacks.reversal.assess import assess
from rollbacks.reversal.catalog import Facts, compare, read_facts
from rollbacks.reversal.draft import Draft
from rollbacks.reversal.objects import Shape, read_shape
from rollbacks.reversal.stakes import Stake, at_stake
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove

PROVEN, DISPROVEN, UNTRIED = 0, 1, 2
TOLD_EVERY = 25
EMPTY = "-"
COULD_NOT = (
    Unreplayable, JournalUnreadable, parse.Unreadable, ScratchRefused, EmbeddedError, KeyError, psycopg.Error, OSError,
    *targets.REFUSALS,
)  # fmt: skip


class Command(BaseCommand):
    """Draft, prove and assess reverse SQL, read and compare catalogs."""

    help = "Draft, prove and assess reverse SQL; read and compare catalogs. See docs/cli.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        draft = actions.add_parser("draft", help="write the reverse SQL of the newest migrations")
        proof = actions.add_parser("prove", help="try reverse SQL on a scratch server")
        for each in (draft, proof):
            each.add_argument(
                "--migrations", type=Path, required=True, metavar="DIR", help="drizzle.config's out folder"
            )
            each.add_argument("--scratch", default="", metavar="URL", help="server to try on (default: one of its own)")
            each.add_argument("--ledger-schema", default="drizzle")
            each.add_argument("--ledger-table", default="__drizzle_migrations")
        back = draft.add_mutually_exclusive_group()
        back.add_argument("--undo", default="", metavar="TAG", help="the oldest migration to undo")
        back.add_argument(
            "--return-to",
            default="",
            metavar="TAG",
            help="the migration whose state is wanted back, - for the empty database",
        )
        draft.add_argument("--live", default="", metavar="URL", help="database whose drift is merged and named")
        draft.add_argument("--label", default="", help="begins the names of archive tables (default: random)")
        draft.add_argument("--no-archive", action="store_true", help="destroy what goes instead of keeping it")
        proof.add_argument(
            "--return-to", default="", metavar="TAG", help="- for the empty database; default: undo the newest"
        )
        proof.add_argument(
            "--reverse", default="", metavar="FILE", help="reverse SQL, - for stdin (default: the draft)"
        )
        proof.add_argument(
            "--live", default="", metavar="URL", help="database whose drift has to come through unharmed"
        )
        judge = actions.add_parser("assess", help="say what SQL would do and whether it is refused")
        judge.add_argument("file", metavar="FILE|-")
        judge.add_argument("--live", default="", metavar="URL", help="database on which to count what is at stake")
        judge.add_argument("--audit-table", action="append", default=None)
        read = actions.add_parser("facts", help="read a database's catalog facts")
        read.add_argument("url", metavar="URL")
        beside = actions.add_parser("compare", help="compare two databases' catalogs, column order apart")
        beside.add_argument("expected", metavar="URL")
        beside.add_argument("actual", metavar="URL")
        for each in (draft, proof, judge, read, beside):
            each.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = getattr(self, f"_{options['action']}")(options)
        except COULD_NOT as error:
            sentence = str(error.args[0]) if isinstance(error, KeyError) else str(error).strip()
            raise CommandError(sentence, returncode=UNTRIED) from error
        sys.exit(code)

    def _draft(self, options: dict[str, Any]) -> int:
        folder, layout = _folder(options["migrations"]), _layout(options)
        return_to = _return_point(folder, options["return_to"], options["undo"])
        label = None if options["no_archive"] else options["label"] or f"rb_{secrets.token_hex(3)}"
        with _scratch(options["scratch"]) as scratch:
            live = _shape_of(options["live"], layout) if options["live"] else None
            drafts = draft_back_to(
                scratch, folder, layout, return_to=return_to, label=label, live=live, told=self._progress(options)
            )
            drift = _drift(options["live"], scratch, folder, layout) if options["live"] else []
        if options["json"]:
            self.stdout.write(json.dumps(_drafted(drafts, drift), indent=2))
            return PROVEN
        for sentence in drift:
            self.stdout.write(f"-- DRIFT: {sentence}")
        for each in drafts:
            self.stdout.write(f"-- Undo {each.tag} (class {each.cls})\n{each.text}")
        return PROVEN

    def _prove(self, options: dict[str, Any]) -> int:
        folder, layout = _folder(options["migrations"]), _layout(options)
        return_to = _return_point(folder, options["return_to"], "")
        told = self._progress(options)
        with _scratch(options["scratch"]) as scratch:
            live = _shape_of(options["live"], layout) if options["live"] else None
            if options["reverse"]:
                reverse = _read(options["reverse"])
            else:
                drafts = draft_back_to(
                    scratch, folder, layout, return_to=return_to, label="rb_proof", live=live, told=told
                )
                reverse = "\n".join(each.text for each in drafts)
            proof = prove(scratch, folder, layout, return_to=return_to, reverse=reverse, live=live, told=told)
        if options["json"]:
            self.stdout.write(json.dumps({**proof.document(), "digest": proof.digest}, indent=2))
        else:
            self.stdout.write(_("%(outcome)s, digest %(digest)s") % {"outcome": proof.outcome, "digest": proof.digest})
            for sentence in proof.differences:
                self.stdout.write(f"  {sentence}")
            for table in proof.reordered:
                self.stdout.write(
                    _("  %(table)s has its columns in another order, which is no difference.") % {"table": table}
                )
        return PROVEN if proof.passed else DISPROVEN

    def _assess(self, options: dict[str, Any]) -> int:
        sql_text = _read(options["file"])
        found = assess(sql_text, audit_tables=options["audit_table"] or ["audit_events"])
        stakes = _at_stake(options["live"], found.statements) if options["live"] else []
        opinion = second_opinion(sql_text, major=None, environ=os.environ)
        document = {
            "statements": [
                {
                    "line": each.line,
                    "kind": each.kind,
                    "text": each.text,
                    "class": judged.cls,
                    "sentence": judged.sentence,
                    "relations": list(judged.relations),
                    "lock": judged.lock.mode,
                    "work": judged.lock.effect,
                    "transactional": judged.transactional,
                }
                for each, judged in zip(found.statements, found.judgements, strict=True)
            ],
            "refusals": [{"line": each.line, "code": each.code, "sentence": each.sentence} for each in found.refusals],
            "impacts": [{"line": each.line, "code": each.code, "sentence": each.sentence} for each in found.impacts],
            "security_impacting": found.security_impacting,
            "at_stake": [each.document() for each in stakes],
            **opinion.document(),
        }
        if options["json"]:
            self.stdout.write(json.dumps(document, indent=2))
        else:
            for refusal in found.refusals:
                self.stdout.write(_("line %(line)d refused: %(sentence)s") % vars(refusal))
            for impact in found.impacts:
                self.stdout.write(_("line %(line)d security: %(sentence)s") % vars(impact))
            for judged in found.judgements:
                self.stdout.write(_("line %(line)d class %(cls)s: %(sentence)s") % vars(judged))
            for stake in stakes:
                self.stdout.write(_("line %(line)d at stake: %(sentence)s") % vars(stake))
            for finding in opinion.findings:
                self.stdout.write(_("line %(line)d squawk (%(rule)s): %(sentence)s") % vars(finding))
            if opinion.missing:
                self.stdout.write(opinion.missing)
        return DISPROVEN if found.refusals else PROVEN

    def _facts(self, options: dict[str, Any]) -> int:
        facts = _facts_of(options["url"])
        if options["json"]:
            self.stdout.write(json.dumps({**facts.to_json(), "digest": facts.digest}, indent=1))
        else:
            for entry in sorted(facts.entries):
                self.stdout.write(" | ".join(" ".join(part.split()) for part in entry))
            self.stdout.write(_("digest %(digest)s") % {"digest": facts.digest})
        return PROVEN

    def _compare(self, options: dict[str, Any]) -> int:
        differences = compare(_facts_of(options["expected"]), _facts_of(options["actual"]))
        sentences = differences.sentences()
        if options["json"]:
            document = {"equal": differences.equal, "differences": sentences, "reordered": list(differences.reordered)}
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self.stdout.write("\n".join(sentences) if sentences else _("The catalogs are equal."))
        return PROVEN if differences.equal else DISPROVEN

    def _progress(self, options: dict[str, Any]) -> Any:
        def told(number: int, of: int) -> None:
            if of > TOLD_EVERY and number % TOLD_EVERY == 0:
                self.stderr.write(_("replayed %(number)d of %(of)d migrations") % {"number": number, "of": of})

        return told


def _folder(root: Path) -> Folder:
    if not root.is_dir():
        raise CommandError(
            _("%(path)s is not a folder; give the out folder of drizzle.config.") % {"path": root}, returncode=UNTRIED
        )
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return read_folder(files)


def _layout(options: dict[str, Any]) -> Layout:
    return Layout(out="", prefix="index", ledger_schema=options["ledger_schema"], ledger_table=options["ledger_table"])


def _return_point(folder: Folder, return_to: str, undo: str) -> str | None:
    """Return the tag to go back to, None for the empty database; without options the newest migration is undone."""
    if return_to == EMPTY:
        return None
    tags = [each.tag for each in folder.migrations]
    for tag in filter(None, (return_to, undo)):
        if tag not in tags:
            raise CommandError(
                _("There is no migration %(tag)s; the journal has %(tags)s.")
                % {"tag": tag, "tags": ", ".join(tags[-5:])},
                returncode=UNTRIED,
            )
    if return_to:
        return return_to
    position = tags.index(undo) if undo else len(tags) - 1
    return tags[position - 1] if position > 0 else None


@contextlib.contextmanager
def _scratch(url: str) -> Iterator[Scratch]:
    """Yield the given scratch server, or an embedded one that is gone afterwards."""
    if url:
        yield Scratch(targets.credentials_from_url("scratch", url, source="--scratch"))
        return
    root = Path(tempfile.mkdtemp(prefix="rollback-reversal-"))
    root.chmod(0o755)
    state = State(root)
    server = Postgres(state, "scratch")
    try:
        state.prepare()
        server.start("fsync=off", "full_page_writes=off", tied=True)
        yield Scratch(targets.credentials_from_url("scratch", server.url("postgres"), source="--scratch"))
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(state.sockets, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


def _drift(url: str, scratch: Scratch, folder: Folder, layout: Layout) -> list[str]:
    """Return what the live database has differently from the newest migration's replay."""
    from rollbacks.reversal.catalog import ACCESS_KINDS
    from rollbacks.steps.replay import apply_up_to, replay

    with replay(scratch, folder, layout, purpose="drift") as state:
        apply_up_to(state, folder.migrations[-1].tag, told=lambda number, of: None)
        newest = read_facts(state.connection, ignore_schemas={layout.ledger_schema}).without(ACCESS_KINDS)
    live = _facts_of(url, ignore=layout.ledger_schema).without(ACCESS_KINDS)
    return compare(newest, live).sentences()


def _shape_of(url: str, layout: Layout) -> Shape:
    credentials = targets.credentials_from_url("database", url, source="--live")
    with targets.connect(credentials) as connection:
        return read_shape(connection, ignore_schemas=(layout.ledger_schema,))


def _at_stake(url: str, statements: Sequence[parse.Statement]) -> list[Stake]:
    credentials = targets.credentials_from_url("database", url, source="--live")
    with targets.connect(credentials) as connection:
        return at_stake(connection, statements)


def _facts_of(url: str, *, ignore: str = "drizzle") -> Facts:
    credentials = targets.credentials_from_url("database", url, source="URL")
    with targets.connect(credentials) as connection:
        return read_facts(connection, ignore_schemas={ignore})


def _drafted(drafts: list[Draft], drift: list[str]) -> dict[str, Any]:
    statements = [
        {
            "tag": each.tag, "sql": written.sql, "class": written.cls, "undoes_line": written.undoes_line,
            "notes": list(written.notes),
        }
        for each in drafts
        for written in each.statements
    ]  # fmt: skip
    return {
        "statements": statements,
        "classes": {each.tag: each.cls for each in drafts},
        "residue": [sentence for each in drafts for sentence in each.residue],
        "notes": [f"Drift: {sentence}" for sentence in drift],
        "reapply": [sql for each in drafts for sql in each.reapply],
        "sql": {each.tag: each.text for each in drafts},
    }


def _read(path: str) -> str:
    content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise parse.Unreadable(f"Byte {error.start} is not UTF-8; save the file as UTF-8.") from error
