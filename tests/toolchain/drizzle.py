"""The real drizzle-kit and drizzle-orm, at the versions that the fixture's lock file names."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.target import MONOREPO, OUT

OLDEST_NODE = 20
TIMEOUT_SECONDS = 120
MANIFESTS = ("package.json", "package-lock.json", "packages/db/package.json")
SCHEMAS = Path(__file__).parent / "schemas"
NOTHING_TO_DO = "No schema changes, nothing to migrate"


@dataclass(frozen=True)
class Generated:
    """What `drizzle-kit generate` said and which files it wrote; it exits 0 even when it fails."""

    output: str
    written: dict[str, str]

    @property
    def nothing(self) -> bool:
        """Whether it found no difference between the schema and the newest snapshot."""
        return NOTHING_TO_DO in self.output and not self.written


@dataclass(frozen=True)
class Drizzle:
    """The toolchain in one checkout of the monorepo, for the database at one URL."""

    checkout: Path
    url: str

    @property
    def migrations(self) -> Path:
        """The checkout's migrations folder."""
        return self.checkout / OUT

    def migrate(self) -> int:
        """Run drizzle-orm's migrate() as the fixture's script does; return how many migrations it applied."""
        code, output = self._run("tsx", "src/migrate.ts")
        assert code == 0, output
        return int(re.search(r"migrate:apply: (\d+) applied", output).group(1))

    def check(self) -> tuple[int, str]:
        """Return the exit code and output of `drizzle-kit check`."""
        return self._run("drizzle-kit", "check")

    def generate(self, *options: str) -> Generated:
        """Run `drizzle-kit generate` and return what it said and wrote, by name in the migrations folder."""
        before = self._texts()
        _code, output = self._run("drizzle-kit", "generate", *options)
        after = self._texts()
        return Generated(output, {name: text for name, text in after.items() if before.get(name) != text})

    def contract_tests(self, at: int) -> tuple[int, str]:
        """Return the exit code and output of the fixture's contract tests for the state after migration `at`."""
        return self._run("tsx", "src/contract-tests.ts", CONTRACT_AT=str(at))

    def revert_schema(self, return_to: str | None) -> None:
        """Make src/schema.ts the one of the return point, as the team would in the same merge."""
        shutil.copyfile(schema_of(return_to), self.checkout / "packages/db/src/schema.ts")

    def _run(self, tool: str, *arguments: str, **extra: str) -> tuple[int, str]:
        command = [str(self.checkout / "node_modules/.bin" / tool), *arguments]
        environ = {**os.environ, "DATABASE_URL": self.url, "NO_COLOR": "1", **extra}
        done = subprocess.run(
            command, cwd=self.checkout / "packages/db", env=environ, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        return done.returncode, done.stdout

    def _texts(self) -> dict[str, str]:
        root = self.migrations
        return {str(each.relative_to(root)): each.read_text() for each in root.rglob("*") if each.is_file()}


def drizzle(checkout: Path, url: str) -> Drizzle:
    """Return the toolchain for a checkout; skips the test where Node is absent, fails it there in CI."""
    modules = checkout / "node_modules"
    if not modules.exists():
        modules.symlink_to(node_modules(), target_is_directory=True)
    return Drizzle(checkout, url)


def schema_of(return_to: str | None) -> Path:
    """Return the TypeScript schema of the state after the migration; None: before the first one."""
    newest = {"0003_redundant_starfox", "0004_audit_events_immutable"}
    if return_to in newest:
        return MONOREPO / "packages/db/src/schema.ts"
    return SCHEMAS / f"{return_to or 'empty'}.ts"


def node_modules(root: Path = MONOREPO, manifests: tuple[str, ...] = MANIFESTS) -> Path:
    """Return the installed packages of a lock file; installed once into a cache outside the project."""
    node = _node()
    locked = b"".join((root / name).read_bytes() for name in manifests) + node.encode() + os.uname().machine.encode()
    given = os.environ.get("PORTAL_TOOLCHAIN_DIR")
    cache = Path(given) if given else Path.home() / ".cache" / "rollback-portal" / "toolchain"
    folder = cache / hashlib.sha256(locked).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    # Several test workers may come here at once; the first installs, the others wait for it.
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(cache, folder, root, manifests)
    return folder / "node_modules"


def _install(cache: Path, folder: Path, root: Path, manifests: tuple[str, ...]) -> None:
    half = Path(tempfile.mkdtemp(prefix="half-", dir=cache))
    for name in manifests:
        (half / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, half / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=half, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(half)
        _absent(f"npm could not install the packages: {done.stderr.strip()[-500:]}")
    half.rename(folder)


def _node() -> str:
    """Return Node's version; the toolchain needs it and npm on PATH."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _absent("Node and npm are not on PATH, so the real drizzle-kit cannot be asked; install Node 20 or newer.")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        _absent(f"Node {version} is too old for the fixture's drizzle-kit; install Node {OLDEST_NODE} or newer.")
    return version


def _absent(sentence: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
