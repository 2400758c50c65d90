"""Registers the records app."""

from __future__ import annotations

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The trail and the sealed change records."""

    name = "records"
