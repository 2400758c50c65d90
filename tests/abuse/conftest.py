"""What the tests of abuse share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _unlimited(settings: Any) -> None:
    """Attempts are limited per minute, which tests/accounts tries; here hundreds are made on purpose."""
    settings.ACCOUNT_RATE_LIMITS = False
