"""Every row of matrix A has its tests, they are there, and so are the guards that they watch."""

from __future__ import annotations

import pytest

from tests.abuse.rows import GUARDS, ROOT, ROWS, Guard


def test_every_row_has_tests() -> None:
    assert sorted(ROWS) == [f"A{number:02}" for number in range(1, 49)]


@pytest.mark.parametrize("row", sorted(ROWS))
def test_the_tests_of_a_row_are_there(row: str) -> None:
    assert ROWS[row]
    for test in ROWS[row]:
        file, function = test.split("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(), test


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: "-".join(guard.rows))
def test_a_guard_is_where_it_is_said_to_be(guard: Guard) -> None:
    for edit in guard.edits:
        assert (ROOT / edit.file).read_text().count(edit.guard) == 1, edit


def test_every_row_has_a_guard_that_can_be_taken_out() -> None:
    assert {row for guard in GUARDS for row in guard.rows} >= ROWS.keys()
