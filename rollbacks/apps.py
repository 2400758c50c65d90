"""Registers the rollbacks app."""

from __future__ import annotations

from django.apps import AppConfig


class RollbacksConfig(AppConfig):
    """Targets, requests, executions and what runs them."""

    name = "rollbacks"
