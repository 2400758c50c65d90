"""Registers the notices app."""

from __future__ import annotations

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """The outbox: who is told what, by which channel, and whether it left."""

    name = "notices"
