"""Removals that nobody could see: each by its name with the reason; everything else has to make a test fail."""

from __future__ import annotations

EQUIVALENTS: dict[str, str] = {}
