"""The portal: the Django project that puts the trail, the approvals and the rollbacks together."""

from __future__ import annotations

# Whoever sends a task uses Celery's current application, so it has to exist in every process of the portal.
from portal.celery import app as celery_app

__all__ = ["celery_app"]
