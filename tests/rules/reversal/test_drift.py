"""The three-way merge on shapes made by hand: what each side did, and what both did."""

from __future__ import annotations

import pytest

from rollbacks.reversal.drift import drifted, merge
from rollbacks.reversal.objects import Key, Shape, Thing

TABLE = ("table", "public", "t")
Grant = tuple[str, str, str, str, bool]


def thing(key: Key = TABLE, *needs: Key, **attributes: str) -> Thing:
    return Thing(key, attributes, frozenset(needs))


def shape(*things: Thing, grants: tuple[Grant, ...] = ()) -> Shape:
    return Shape({each.key: each for each in things}, frozenset(grants))


def grant(full: str = '"public"."t"', privilege: str = "SELECT") -> Grant:
    return ("TABLE", full, "reader", privilege, False)


ONE, TWO, THREE = (thing(comment=each) for each in ("one", "two", "three"))


@pytest.mark.parametrize(
    ("live", "newest", "wanted", "merged", "says"),
    [
        # Only the migration did something, only somebody by hand, both the same.
        ([ONE], [ONE], [TWO], TWO, ""),
        ([ONE], [ONE], [], None, ""),
        ([], [], [ONE], ONE, ""),
        ([TWO], [ONE], [ONE], TWO, ""),
        ([], [ONE], [ONE], None, ""),
        ([ONE], [], [], ONE, ""),
        ([TWO], [ONE], [TWO], TWO, ""),
        ([], [ONE], [], None, ""),
        ([ONE], [], [ONE], ONE, ""),
        ([thing(comment="")], [thing()], [ONE], ONE, ""),
        ([thing()], [thing(comment="")], [ONE], ONE, ""),
        ([thing(comment="")], [thing()], [], None, ""),
        ([thing()], [thing(comment="")], [], None, ""),
        # Both did something else.
        ([], [ONE], [TWO], TWO, 'dropped by hand and changed by a migration to undo; the draft makes it again as it was.'),
        ([ONE], [], [TWO], TWO, "made by hand and is there at the return point too, but not the same"),
        ([TWO], [ONE], [], None, "changed by hand and goes with a migration to undo"),
        ([ONE], [TWO], [THREE], THREE, 'The comment of "public"."t" was changed by hand and by a migration to undo'),
    ],
)  # fmt: skip
def test_each_side_keeps_what_only_it_did(
    live: list[Thing], newest: list[Thing], wanted: list[Thing], merged: Thing | None, says: str
) -> None:
    found = merge(shape(*live), shape(*newest), shape(*wanted))
    assert found.wanted.things == ({TABLE: merged} if merged else {})
    assert len(found.conflicts) == bool(says)
    assert says in "".join(found.conflicts) and ('"public"."t"' in "".join(found.conflicts)) is bool(says)


def test_an_object_that_both_changed_is_merged_attribute_by_attribute() -> None:
    live = thing(comment="by hand", forced="yes", unlogged="yes", options="{a=1}")
    newest = thing(forced="", partitioned="LIST", unlogged="yes", row_security="yes", options="{a=1}")
    wanted = thing(comment="", forced="yes", partitioned="LIST", row_security="yes", options="{a=2}")
    found = merge(shape(live), shape(newest), shape(wanted))
    assert found.conflicts == ()
    assert {name: value for name, value in found.wanted.things[TABLE].attributes.items() if value} == {
        "comment": "by hand", "forced": "yes", "options": "{a=2}",
    }  # fmt: skip


def test_what_was_made_by_hand_on_something_that_goes_goes_as_well() -> None:
    index, view = ("index", "public", "t", "i"), ("view", "public", "v")
    by_hand = (thing(index, TABLE), thing(view, index))
    found = merge(shape(ONE, *by_hand), shape(ONE), shape())
    assert found.wanted.things == {} and len(found.conflicts) == 2
    assert all("was made by hand on something that goes" in each for each in found.conflicts)
    # What the migrations made, or needs what is only in the past, is not by hand.
    assert merge(shape(ONE, *by_hand), shape(ONE, *by_hand), shape(*by_hand)).conflicts == ()
    loose = thing(view, ("function", "public", "nowhere", ""))
    assert merge(shape(loose), shape(), shape()).conflicts == ()
    assert merge(shape(ONE, *by_hand), shape(ONE), shape(TWO)).conflicts == ()


@pytest.mark.parametrize(
    ("live", "newest", "wanted", "merged", "conflicts"),
    [
        (["SELECT"], [], [], ["SELECT"], 0),
        ([], ["SELECT"], ["SELECT"], [], 0),
        (["SELECT"], ["SELECT"], [], [], 0),
        ([], [], ["SELECT"], ["SELECT"], 0),
        (["INSERT", "SELECT"], ["SELECT"], [], ["INSERT"], 0),
        (["SELECT"], ["SELECT"], ["SELECT"], ["SELECT"], 0),
    ],
)
def test_privileges_are_merged_as_sets(
    live: list[str], newest: list[str], wanted: list[str], merged: list[str], conflicts: int
) -> None:
    sides = [shape(ONE, grants=tuple(grant(privilege=word) for word in each)) for each in (live, newest, wanted)]
    found = merge(*sides)
    assert found.wanted.grants == {grant(privilege=word) for word in merged} and len(found.conflicts) == conflicts


def test_a_privilege_by_hand_goes_with_what_it_was_granted_on() -> None:
    found = merge(shape(ONE, grants=(grant(), grant(privilege="INSERT"))), shape(ONE, grants=(grant(),)), shape())
    assert found.wanted.grants == frozenset()
    assert found.conflicts == (
        'INSERT on "public"."t" was granted to reader by hand and goes with what it was granted on.',
    )


def test_the_archive_is_no_drift_and_everything_else_is() -> None:
    archived = thing(("table", "rollback_archive", "old"))
    assert not drifted(shape(ONE, archived), shape(ONE))
    assert drifted(shape(ONE), shape(TWO)) and drifted(shape(ONE, grants=(grant(),)), shape(ONE))
