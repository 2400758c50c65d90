"""A chain of some years: the newest migrations are undone after one replay, whatever came before."""

from __future__ import annotations

from dataclasses import replace

from rollbacks.adapters.scratch import Scratch
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.proving import prove
from tests.reversal.conftest import LAYOUT, folder_of
from tests.reversal.long_chain import long_chain


def test_the_newest_of_three_hundred_migrations_are_undone(scratch: Scratch) -> None:
    folder = folder_of(long_chain(300))
    told: list[tuple[int, int]] = []
    drafts = draft_back_to(
        scratch, folder, LAYOUT, return_to="0296_m296", label="rb1", told=lambda number, of: told.append((number, of))
    )
    assert [draft.tag for draft in drafts] == ["0299_m299", "0298_m298", "0297_m297"]
    assert [number for number, _ in told] == list(range(1, 301))
    reverse = "\n".join(draft.text for draft in drafts)
    assert prove(scratch, folder, LAYOUT, return_to="0296_m296", reverse=reverse).passed


def test_every_migration_of_a_chain_is_undone_in_one_go(scratch: Scratch) -> None:
    folder = folder_of(long_chain(40))
    drafts = draft_back_to(scratch, folder, LAYOUT, return_to=None, label="rb1")
    assert len(drafts) == 40
    proof = prove(scratch, folder, LAYOUT, return_to=None, reverse="\n".join(draft.text for draft in drafts))
    assert proof.passed, proof.differences


def test_a_migration_whose_when_is_not_later_has_its_place_in_the_chain(scratch: Scratch) -> None:
    """Where all were pending at once it ran, so a replay that leaves it out would claim states that never were."""
    folder = folder_of(
        ["CREATE TABLE a (id integer);", "ALTER TABLE a ADD COLUMN b text;", "CREATE INDEX a_b ON a (b);"]
    )
    first, middle, last = folder.migrations
    folder = replace(
        folder, migrations=(first, replace(middle, when=first.when - 1000), replace(last, when=first.when))
    )
    drafts = draft_back_to(scratch, folder, LAYOUT, return_to=first.tag, label=None)
    assert [draft.text.splitlines()[-1] for draft in drafts] == [
        'DROP INDEX "public"."a_b";', 'ALTER TABLE "public"."a" DROP COLUMN "b";',
    ]  # fmt: skip
    for return_to in (middle.tag, first.tag, None):
        drafts = draft_back_to(scratch, folder, LAYOUT, return_to=return_to, label=None)
        reverse = "\n".join(draft.text for draft in drafts)
        proof = prove(scratch, folder, LAYOUT, return_to=return_to, reverse=reverse)
        assert proof.passed and proof.round_trip == "held", proof.differences
