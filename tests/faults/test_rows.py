"""Every row of matrix F has its tests or says why not, and the tests are there."""

from __future__ import annotations

import pytest

from tests.abuse.rows import ROOT
from tests.faults.rows import ROWS


def test_every_row_is_there() -> None:
    assert sorted(ROWS) == [f"F{number:02}" for number in range(1, 53)]


@pytest.mark.parametrize("row", sorted(ROWS))
def test_a_row_has_tests_that_are_there_or_says_why_not(row: str) -> None:
    assert ROWS[row].words
    assert ROWS[row].tests or ROWS[row].open
    for test in ROWS[row].tests:
        file, function = test.split("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(), test
