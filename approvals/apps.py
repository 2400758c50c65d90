"""Registers the approvals app."""

from __future__ import annotations

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Cases, sign-offs and the policy that judges them."""

    name = "approvals"
