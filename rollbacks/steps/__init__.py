"""The eight steps of an execution, in their order."""

from __future__ import annotations

from rollbacks.ports import Step
from rollbacks.steps import applying, backup, preflight, publish, record, rehearse, stage, verify

REHEARSE, APPLY = "rehearse", "apply"

STEPS = (
    Step("preflight", observe=preflight.observe, perform=preflight.perform),
    Step("backup", observe=backup.observe, perform=backup.perform, clean=backup.clean),
    Step(REHEARSE, observe=rehearse.observe, perform=rehearse.perform, clean=rehearse.clean),
    Step("stage", observe=stage.observe, perform=stage.perform, clean=stage.clean),
    Step(APPLY, observe=applying.observe, perform=applying.perform),
    Step("verify", observe=verify.observe, perform=verify.perform),
    Step("publish", observe=publish.observe, perform=publish.perform, retried=True),
    Step("record", observe=record.observe, perform=record.perform, retried=True),
)
