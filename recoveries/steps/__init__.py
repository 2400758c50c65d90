"""The steps of a recovery, in their order. Between inspect and document people do the cutover."""

from __future__ import annotations

from recoveries.ports import Step
from recoveries.steps import check, document, inspect, restore

RESTORE, DOCUMENT = "restore", "document"

STEPS = (
    Step("check", check.observe, check.perform),
    Step(RESTORE, restore.observe, restore.perform),
    Step("inspect", inspect.observe, inspect.perform),
    Step(DOCUMENT, document.observe, document.perform, retried=True),
)
