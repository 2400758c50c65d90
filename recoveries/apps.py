"""The application of recoveries."""

from __future__ import annotations

from django.apps import AppConfig


class RecoveriesConfig(AppConfig):
    """Point-in-time recovery and restores of kept backups; above rollbacks, which know nothing of it."""

    name = "recoveries"

    def ready(self) -> None:
        """Tell what keeps backups that a recovery has to do with one of them."""
        from recoveries.services.needs import why_needed
        from rollbacks.services.backups import NEEDS

        NEEDS.append(why_needed)
