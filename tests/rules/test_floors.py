"""The house has five floors: a module imports from its own floor or below, and the apps in one direction only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("records", "approvals", "rollbacks", "recoveries", "notices")
ALLOWED_APPS = {
    "notices": {"notices", "recoveries", "rollbacks", "approvals", "records"},
    "recoveries": {"recoveries", "rollbacks", "approvals", "records"},
    "rollbacks": {"rollbacks", "approvals", "records"},
    "approvals": {"approvals", "records"},
    "records": {"records"},
}
RULES, ROWS, STEPS, CASES, DOORS = 1, 2, 3, 4, 5
FLOORS = {
    RULES: (
        "records.chain", "records.markdown", "records.incident", "approvals.policy", "approvals.rulebook", "approvals.windows",
        "approvals.windows_file", "rollbacks.states", "rollbacks.plan",
        "approvals.role_names", "approvals.holding", "approvals.twins",
        "rollbacks.checklist", "rollbacks.options", "rollbacks.ports", "rollbacks.reversal", "rollbacks.drizzle", "rollbacks.ownership",
        "records.recovery_entry", "recoveries.states", "recoveries.cutover", "recoveries.plan", "recoveries.kinds", "recoveries.points",
    ),
    ROWS: ("records.models", "approvals.models", "rollbacks.models", "rollbacks.side_models", "rollbacks.leased_step", "recoveries.models", "notices.models"),
    STEPS: ("recoveries.ports", "recoveries.separation", "recoveries.providers", "recoveries.steps", "rollbacks.steps", "rollbacks.adapters", "notices.channels"),
    CASES: (
        "records.trail", "records.record", "records.paging", "records.verification", "approvals.services", "approvals.roles",
        "approvals.people", "approvals.factors", "approvals.linkage", "approvals.sessions", "approvals.tokens", "approvals.in_force", "approvals.reviews", "approvals.step_up", "rollbacks.stale_page",
        "rollbacks.services", "rollbacks.engine", "rollbacks.settling", "rollbacks.sealing",
        "approvals.grants", "approvals.delegations", "approvals.standing", "approvals.queries", "approvals.refusals",
        "rollbacks.history", "rollbacks.queries", "rollbacks.request_page", "rollbacks.follow_up_page", "rollbacks.doorbell", "rollbacks.leases", "rollbacks.freezes",
        "rollbacks.backup_sweep", "rollbacks.backup_page", "rollbacks.attention", "rollbacks.proof_runs", "rollbacks.proof_view", "rollbacks.policy_page", "rollbacks.emergencies",
        "recoveries.services", "recoveries.engine", "recoveries.doorbell", "recoveries.history", "recoveries.recovery_page",
        "notices.causes", "notices.audiences", "notices.wording", "notices.content", "notices.recovery_wording",
        "notices.kinds", "notices.turns", "notices.collecting", "notices.mail", "notices.sending", "notices.evidence",
        "notices.doorbell", "notices.outbox", "notices.preferences", "notices.sent_mail",
    ),
    DOORS: ("recoveries.views", "recoveries.forms", "recoveries.tasks", "recoveries.urls", "rollbacks.views", "rollbacks.api", "rollbacks.forms", "rollbacks.tasks", "rollbacks.management", "records.views",
            "records.management", "approvals.management", "approvals.views", "approvals.forms", "notices.views", "notices.forms",
            "notices.tasks", "notices.urls", "notices.templatetags"),
}  # fmt: skip
# Reading a catalog needs a connection; it still knows nothing of Django (design: "pure or catalog-only").
CATALOG_ONLY = {"rollbacks.reversal.catalog", "rollbacks.reversal.objects", "rollbacks.reversal.stakes"}


def floor_of(module: str) -> int | None:
    best: tuple[int, int] | None = None
    for floor, names in FLOORS.items():
        for name in names:
            if (module == name or module.startswith(f"{name}.")) and (best is None or len(name) > best[0]):
                best = (len(name), floor)
    return best[1] if best else None


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" in parts or parts[-1] == "apps":
                continue
            yield ".".join(part for part in parts if part != "__init__"), path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


ALL = dict(modules())


def test_every_module_has_a_floor() -> None:
    homeless = [name for name in ALL if floor_of(name) is None and name not in PACKAGES]
    assert homeless == []


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_module_imports_only_from_its_floor_or_below(name: str) -> None:
    floor = floor_of(name)
    for imported in imports(ALL[name]):
        app = imported.split(".")[0]
        if app in PACKAGES:
            assert app in ALLOWED_APPS[name.split(".")[0]], f"{name} imports {imported}"
            above = floor_of(imported)
            assert above is None or floor is None or above <= floor, f"{name} (floor {floor}) imports {imported}"
        if floor == RULES:
            assert app not in {"django", "celery"}, f"{name} is a rule and imports {imported}"
            assert app != "psycopg" or name in CATALOG_ONLY, f"{name} is a rule and imports {imported}"
        if floor == STEPS:
            assert not imported.startswith("django"), f"{name} is a step and imports {imported}"
