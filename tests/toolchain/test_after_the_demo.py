"""After `demo --once` on services of its own, the real toolchain agrees with the branch that it pushed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.target import OUT
from portal.embedded.services import Services
from portal.embedded.state import PROJECT, State
from tests.toolchain.drizzle import drizzle, node_modules

RETURN_TO = "0002_rich_marten_broadcloak"


@pytest.fixture
def services() -> Iterator[Services]:
    """Services in a folder of their own, stopped and removed in the end."""
    node_modules()
    # Not pytest's own folder: as root the clusters run as another user, who must be able to reach them.
    folder = Path(tempfile.mkdtemp(prefix="rollback-once-"))
    folder.chmod(0o755)
    made = Services(State(folder))
    yield made
    made.stop()
    made.portal.remove()
    made.scratch.remove()
    shutil.rmtree(folder, ignore_errors=True)


def demo_once(services: Services) -> dict[str, Any]:
    ours = services.environment()
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", "--json", "--return-to", RETURN_TO],
        cwd=PROJECT, env={**environ, "PORTAL_STATE": str(services.state.root)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_migrate_check_generate_and_the_contract_agree_with_what_the_demo_pushed(
    services: Services, tmp_path: Path
) -> None:
    result = demo_once(services)
    assert services.status() == {"portal": False, "scratch": False, "valkey": False}
    services.start(tied=True, fast=True)

    origin, merged = f"{result['repository']}.git", tmp_path / "merged"
    clone = ["git", "-c", "safe.directory=*", "clone", "--quiet", "--branch", result["branch"], origin, str(merged)]
    subprocess.run(clone, check=True, capture_output=True)
    toolchain = drizzle(merged, result["target_url"])
    toolchain.revert_schema(RETURN_TO)

    assert len(list((merged / OUT).glob("0005_rollback_*.sql"))) == 1
    assert (merged / result["record"]).is_file()
    assert toolchain.migrate() == 0
    code, output = toolchain.check()
    assert code == 0 and "Everything's fine" in output and "arning" not in output
    generated = toolchain.generate()
    assert generated.nothing, generated.output
    code, output = toolchain.contract_tests(2)
    assert code == 0, output
