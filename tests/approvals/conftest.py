"""The demo's people without passwords: hashing seven of them takes longer than most of these tests."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.people import add_person
from demo.organisation import PEOPLE


@pytest.fixture
def people(db: None) -> dict[str, Any]:
    """The demo people by role; they are signed in with `force_login` where a test needs a page."""
    return {
        person.role: add_person(
            None, username=person.username, name=person.name, email=f"{person.username}@nzila.example",
            password=None, roles=[person.role],
        )
        for person in PEOPLE
    }  # fmt: skip
