"""The application of recoveries."""

from __future__ import annotations

from django.apps import AppConfig


class RecoveriesConfig(AppConfig):
    """Point-in-time recovery and restores of kept backups; above rollbacks, which know nothing of it."""

    name = "recoveries"
