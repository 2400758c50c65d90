"""Checking the whole trail and every sealed record against their digests, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from records import chain
from records.models import ChangeRecord, Fact

BATCH = 1_000


@dataclass(frozen=True)
class Verification:
    """What a check of the trail found: how many lines hold, the head, and the first break if there is one."""

    lines: int
    head: str
    records: int
    broken: chain.Break | None


def verify() -> Verification:
    """Read the trail from its first line and stop at the first break; then compare the sealed records."""
    counted = _Counted()
    broken = chain.first_break(counted.follow(_links()))
    records = 0
    if broken is None:
        for record in ChangeRecord.objects.select_related("fact").order_by("id").iterator(BATCH):
            broken = _record_break(record)
            if broken is not None:
                break
            records += 1
    return Verification(counted.lines, counted.head, records, broken)


class _Counted:
    def __init__(self) -> None:
        self.lines, self.head = 0, chain.GENESIS

    def follow(self, links: Iterator[chain.Link]) -> Iterator[chain.Link]:
        for found in links:
            yield found
            self.lines, self.head = found.seq, found.digest


def _links() -> Iterator[chain.Link]:
    columns = ("seq", "previous", "line", "digest", "action", "subject", "actor_id")
    for row in Fact.objects.order_by("seq").values_list(*columns).iterator(BATCH):
        seq, previous, line, digest, action, subject, actor_id = row
        spoken = json.loads(line)
        actor = spoken.get("actor") or {}
        # A searched column that disagrees with the line would mislead a reader, so it counts as changed.
        agrees = (spoken.get("action"), spoken.get("subject"), actor.get("id")) == (action, subject, actor_id)
        yield chain.Link(seq, previous, line, digest if agrees else "")


def _record_break(record: ChangeRecord) -> chain.Break | None:
    detail = json.loads(record.fact.line).get("detail", {})
    if chain.sha256(record.document) != record.digest or detail.get("digest") != record.digest:
        return chain.Break(
            record.fact_id, f"The change record {record.title} is not the one that line {record.fact_id} sealed."
        )
    return None
