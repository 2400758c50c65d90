"""A request as it stands: its newest revision, answers and inventory, and what its reverse SQL does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.models import Answer, Inventory, Request, Revision, Target
from rollbacks.plan import separate
from rollbacks.reversal import assess, lane, parse
from rollbacks.reversal.changes import FILL_IN
from rollbacks.services.moves import Refused
from rollbacks.services.targets import newest_inventory


@dataclass(frozen=True)
class Reading:
    """A request as it stands: its newest revision, answers, inventory and what the reverse SQL does."""

    request: Request
    revision: Revision
    answers: Mapping[str, Answer]
    inventory: Inventory | None
    assessments: Mapping[str, assess.Assessment]
    unreadable: Mapping[str, str]

    @property
    def content(self) -> dict[str, Any]:
        """What was read of the target; empty when it could not be read, which is a blocker."""
        return dict(self.inventory.content or {}) if self.inventory else {}

    @property
    def migrations(self) -> dict[str, dict[str, Any]]:
        """The inventory's migrations by tag."""
        return {each["tag"]: each for each in self.content.get("migrations", [])}

    @property
    def impacts(self) -> tuple[str, ...]:
        """One sentence for each way in which undoing these migrations touches a security control."""
        return tuple(f"{tag}: {sentence}" for tag in newest_first(self) for sentence in self.impacts_of(tag))

    def impacts_of(self, tag: str) -> tuple[str, ...]:
        """Return what the reverse SQL of one migration touches; what undoing its forward SQL must touch, if it says none.

        The forward SQL counts as well because a migration that protects the audit trail cannot be undone
        without weakening it, whatever words the reverse SQL uses.
        """
        reverse = self.assessments.get(tag)
        sentences = [impact.sentence for impact in reverse.impacts] if reverse else []
        if not sentences:
            sentences = [f"Undoing it: {each}" for each in self.migrations.get(tag, {}).get("impacts", [])]
        return tuple(dict.fromkeys(sentences))


def read_request(request: Request, revision: Revision | None = None) -> Reading:
    """Return the request (its newest revision, unless given) with its reverse SQL taken apart; nothing is written."""
    revision = revision or current_revision(request)
    assessments: dict[str, assess.Assessment] = {}
    unreadable: dict[str, str] = {}
    for tag, sql in revision.reverse_sql.items():
        if not sql.strip():
            continue
        try:
            separate(lane.plain(sql))
            assessments[tag] = assess.assess(sql, audit_tables=request.target.audit_tables)
        except parse.Unreadable as error:
            unreadable[tag] = str(error)
    return Reading(
        request, revision, current_answers(request), newest_inventory(request.target_id), assessments, unreadable
    )


def sql_problems(reading: Reading) -> list[tuple[str, str, str]]:
    """Return code, sentence and place on the page of all that keeps the reverse SQL from being run anywhere."""
    found = []
    for tag in newest_first(reading):
        anchor = f"sql-{tag}"
        if not reading.revision.reverse_sql[tag].strip():
            sentence = f"{tag} has no reverse SQL; write the statements that undo it."
            found.append(("no-sql", sentence, anchor))
        elif tag in reading.unreadable:
            found.append(("unreadable", f"{tag}: {reading.unreadable[tag]}", anchor))
        else:
            if FILL_IN in reading.revision.reverse_sql[tag]:
                sentence = f"{tag} still says “{FILL_IN}”: write what has to happen there and remove the mark."
                found.append(("fill-in", sentence, anchor))
            found += [
                (refusal.code, f"{tag}, line {refusal.line}: {refusal.sentence}", anchor)
                for refusal in reading.assessments[tag].refusals
            ]
    return [*found, *([] if found else _lane_problems(reading))]


def lane_of(reading: Reading) -> lane.Split:
    """Return the whole reverse SQL, newest migration first, parted into the transaction and the lane's two sides."""
    tags = [tag for tag in newest_first(reading) if tag in reading.assessments]
    return lane.split([each for tag in tags for each in reading.assessments[tag].statements])


def lane_as_written(texts: Sequence[str]) -> dict[str, list[str]]:
    """Return what of the SQL (newest migration first) would run outside the transaction; empty while it cannot be read."""
    try:
        return lane.split([each for statements in parse.read_many(texts) for each in statements]).document()
    except parse.Unreadable:
        return {}


def _lane_problems(reading: Reading) -> list[tuple[str, str, str]]:
    """What is in order in each migration's own SQL may still stand between the statements of two others."""
    parts = lane_of(reading)
    for tag in newest_first(reading):
        for each in reading.assessments[tag].statements:
            if each in parts.between:
                return [("lane", f"{tag}, line {each.line}: {lane.BETWEEN[0].upper()}{lane.BETWEEN[1:]}", f"sql-{tag}")]
    if parts.document() and reading.request.target.migrate_command:
        sentence = (
            "The target is applied by the project's own command, which runs the file in one transaction, so nothing can "
            "run outside of it; write the statements without CONCURRENTLY."
        )
        return [("lane", sentence, f"sql-{newest_first(reading)[0]}")]
    return []


def newest_first(reading: Reading) -> list[str]:
    """Return the tags to undo in the order in which they are undone."""
    order = {tag: position for position, tag in enumerate(reading.migrations)}
    return sorted(reading.revision.reverse_sql, key=lambda tag: order.get(tag, -1), reverse=True)


def undo_tags(target: Target, return_to: str) -> tuple[str, ...]:
    """Return the tags of the migrations to undo for this return point, newest first: always the newest ones."""
    inventory = newest_inventory(target.pk)
    if inventory is None or inventory.content is None:
        raise Refused(
            f"The migrations of {target.title} have not been read yet; "
            "open its page and read them before filing a request."
        )
    tags = [migration["tag"] for migration in inventory.content["migrations"]]
    if return_to and return_to not in tags:
        raise Refused(f"{target.title} has no migration {return_to}; choose a return point from its list.")
    undo = tags[tags.index(return_to) + 1 :] if return_to else tags
    if not undo:
        raise Refused(f"{return_to} is the newest migration, so there is nothing to undo; choose an older one.")
    return tuple(reversed(undo))


def current_revision(request: Request) -> Revision:
    """Return the request's newest revision."""
    return Revision.objects.filter(request=request).select_related("author").order_by("-number")[0]


def current_answers(request: Request) -> dict[str, Answer]:
    """Return the newest answer to each item, by its key."""
    rows = Answer.objects.filter(request=request).select_related("person", "attachment").order_by("id")
    return {row.item: row for row in rows}


def evidence_of(given: Answer) -> dict[str, Any]:
    """Return what an answer shows, as it goes into the trail, the plan and the record."""
    file = given.attachment
    shown = None if file is None else {"name": file.name, "sha256": file.sha256, "size": file.size}
    return {"answer": given.pk, "text": given.text, "link": given.link, "file": shown}
