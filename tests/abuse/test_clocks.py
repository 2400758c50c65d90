"""A30: what expires goes by the database's clock, and a web server whose clock is wrong says so."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
from django.test import Client

from portal import health

ROOT = Path(__file__).parents[2]
# Whatever decides whether a vote, a confirmation, a delegation, a review or a request still counts.
JUDGES = (
    "approvals/services.py", "approvals/policy.py", "approvals/standing.py", "approvals/holding.py", "approvals/step_up.py",
    "approvals/reviews.py", "approvals/grants.py", "approvals/delegations.py", "approvals/windows.py",
    "rollbacks/settling.py", "rollbacks/services/running.py", "rollbacks/services/signing.py",
    "rollbacks/services/follow_ups.py",
)  # fmt: skip
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("timezone", "now"), ("time", "time")}


@pytest.mark.parametrize("name", JUDGES)
def test_no_judge_looks_at_the_clock_of_its_own_server(name: str) -> None:
    read = [
        f"line {node.lineno}"
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    ]
    assert read == []


@pytest.mark.django_db
@pytest.mark.parametrize("shift", [86_400, -86_400])
def test_a_clock_that_is_a_day_off_is_said(monkeypatch: pytest.MonkeyPatch, shift: int) -> None:
    assert Client().get("/readyz").status_code == 200
    monkeypatch.setattr(health.time, "time", lambda real=time.time: real() + shift)
    answer = Client().get("/readyz")
    assert answer.status_code == 503 and "86400 seconds apart" in answer.content.decode()
