"""A reading of a target says who owns each migration's file."""

from __future__ import annotations

import subprocess

from demo import target as demo_target
from rollbacks.drizzle.journal import Layout
from rollbacks.ports import TargetSettings
from rollbacks.steps.observation import observe_target
from tests.conftest import TargetDatabase

GIT = ("git", "-c", "safe.directory=*", "-c", "user.name=T", "-c", "user.email=t@example.test")


def owners(nzila: TargetDatabase) -> dict[str, list[str]]:
    settings = TargetSettings(
        name=nzila.name, environment="production", repository=str(nzila.repository), base_branch="main",
        layout=Layout(out=demo_target.OUT), owner_role="", audit_tables=(),
    )  # fmt: skip
    found: dict[str, list[str]] = observe_target(settings, environ=nzila.environ).content()["owners"]
    return found


def test_owners_come_with_the_inventory(nzila: TargetDatabase) -> None:
    found = owners(nzila)
    assert found["0003_redundant_starfox"] == ["@nzila/platform"]
    assert found["0004_audit_events_immutable"] == ["@nzila/platform", "@nzila/security"]
    assert len(found) == 5
    for arguments in (["rm", "-q", "CODEOWNERS"], ["commit", "-qm", "No owners"], ["push", "-q", "origin", "main"]):
        subprocess.run([*GIT, "-C", str(nzila.repository), *arguments], check=True)
    assert set(map(tuple, owners(nzila).values())) == {()}
