"""Reading the SQL of a module's cases with a few child processes instead of one for each case."""

from __future__ import annotations

import pytest

from rollbacks.reversal import parse

SHORT = 2_000


@pytest.fixture(scope="module", autouse=True)
def _read_ahead(request: pytest.FixtureRequest) -> None:
    """Have the parser keep what the cases will ask for; what it cannot cope with is left to the case itself."""
    params = [item.callspec.params for item in request.session.items
              if item.path == request.path and hasattr(item, "callspec")]  # fmt: skip
    texts = dict.fromkeys(value for each in params for value in each.values() if isinstance(value, str))
    _read(
        [
            text
            for text in texts
            if len(text) < SHORT and not parse.CONTROL.search(text) and parse._READ.get(text) is None
        ]
    )


def _read(texts: list[str]) -> None:
    try:
        parse._read(texts)
    except parse.Unreadable:
        half = len(texts) // 2
        if half:
            _read(texts[:half])
            _read(texts[half:])
