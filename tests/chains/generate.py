"""Write the chains' migrations anew with the real drizzle-kit: python -m tests.chains.generate [CHAIN ...].

A chain is a schema.ts that reads STEP, and steps.json: for each step its name, "custom" SQL of `generate --custom`,
SQL to put "before" what was generated, and the "answers" to the prompts that ask whether something was renamed.
"""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.toolchain.drizzle import node_modules

CHAINS = Path(__file__).parent
NAMES = ("shop", "clinic", "meter")
QUESTION = b"created or renamed"
DOWN, ENTER = b"\x1b[B", b"\r"
QUIET_SECONDS, LIMIT_SECONDS = 0.7, 60
CONFIG = (
    'export default { dialect: "postgresql", schema: "./schema.ts", out: "./drizzle", entities: { roles: false } };\n'
)


def main() -> None:
    """Generate the chains that are named, or all."""
    for name in sys.argv[1:] or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            written = generate(CHAINS / name, Path(folder))
            shutil.rmtree(CHAINS / name / "drizzle", ignore_errors=True)
            shutil.copytree(written, CHAINS / name / "drizzle", ignore=shutil.ignore_patterns("*_snapshot.json"))


def generate(chain: Path, folder: Path) -> Path:
    """Run every step of the chain in the folder and return its migrations folder."""
    (folder / "node_modules").symlink_to(node_modules(), target_is_directory=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "drizzle.config.ts").write_text(CONFIG)
    shutil.copyfile(chain / "schema.ts", folder / "schema.ts")
    for number, step in enumerate(json.loads((chain / "steps.json").read_text())):
        _step(folder, number, step)
    _even_times(folder / "drizzle")
    return folder / "drizzle"


def _step(folder: Path, number: int, step: dict[str, Any]) -> None:
    options = [f"--name={step['name']}", *(["--custom"] if "custom" in step else [])]
    said = _kit(folder, number, options, step.get("answers", []))
    path = folder / "drizzle" / f"{number:04d}_{step['name']}.sql"
    if not path.exists():
        raise SystemExit(f"Step {number} of {folder} wrote nothing: {said}")
    if "custom" in step:
        path.write_text(step["custom"] + "\n")
    elif "before" in step:
        path.write_text(f"{step['before']}\n{path.read_text()}")


def _kit(folder: Path, number: int, options: list[str], answers: list[str]) -> str:
    """Run drizzle-kit on a terminal of its own and answer its prompts; the first choice is always "created"."""
    master, slave = pty.openpty()
    environ = {**os.environ, "STEP": str(number), "NO_COLOR": "1", "TERM": "xterm"}
    command = [str(folder / "node_modules/.bin/drizzle-kit"), "generate", *options]
    child = subprocess.Popen(command, cwd=folder, env=environ, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    said, unread, waiting = b"", b"", list(answers)
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], QUIET_SECONDS)
        if ready:
            try:
                read = os.read(master, 65536)
            except OSError:
                break
            said, unread = said + read, unread + read
        elif QUESTION in unread:
            os.write(master, (DOWN if waiting and waiting.pop(0) == "rename" else b"") + ENTER)
            unread = b""
        elif child.poll() is not None:
            break
    child.kill()
    child.wait()
    os.close(master)
    if waiting:
        raise SystemExit(f"Step {number} asked fewer questions than it has answers: {said.decode()[-800:]}")
    return said.decode()[-800:]


def _even_times(out: Path) -> None:
    """Give the journal's entries times that do not depend on when they were generated."""
    path = out / "meta" / "_journal.json"
    journal = json.loads(path.read_text())
    for entry in journal["entries"]:
        entry["when"] = 1_780_000_000_000 + entry["idx"] * 86_400_000
    path.write_text(json.dumps(journal, indent=2))


if __name__ == "__main__":
    main()
