"""The two commands as a newcomer meets them: set-up, demo, and the ways in which a start can go wrong."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from portal.embedded.state import State

PROJECT = Path(__file__).resolve().parents[2]
FULL_BYTES = 200_000
KEYS_OF_SERVICES = ("DATABASE_URL", "MIGRATE_DATABASE_URL", "REDIS_URL", "SCRATCH_DATABASE_URL", "PGSERVICEFILE")

pytestmark = pytest.mark.xdist_group("launcher")


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder of its own; whatever a test left running in it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="rollback-launcher-"))
    folder.chmod(0o755)
    yield folder
    manage(folder, "embedded", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def environ_of(folder: Path, **more: str) -> dict[str, str]:
    """Return a newcomer's environment: nothing of this test run's services is in it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {*KEYS_OF_SERVICES, "SECRET_KEY", "PORTAL_DEMO", "PORTAL_STATE", "BACKUP_DIR"}
        and not name.endswith("_DIRECT_DATABASE_URL")
        and not name.startswith("DJANGO_")
    }
    return {**kept, "PORTAL_STATE": str(folder), **more}


def manage(folder: Path, *arguments: str, **popen: Any) -> subprocess.CompletedProcess[str]:
    """Run manage.py to its end on the state folder."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environ_of(folder), capture_output=True, text=True, timeout=120, **popen
    )


def variables(folder: Path) -> dict[str, str]:
    """Return what `embedded env` says."""
    found: dict[str, str] = json.loads(manage(folder, "embedded", "env", "--json").stdout)
    return found


def connect(folder: Path) -> psycopg.Connection[TupleRow]:
    return psycopg.connect(variables(folder)["MIGRATE_DATABASE_URL"])


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of all running processes that were started for this state folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            told = f"PORTAL_STATE={folder}".encode() in (entry / "environ").read_bytes()
        except OSError:
            continue
        if command and (told or str(folder) in command):
            found.append(command)
    return found


class Demo:
    """A running `manage.py demo` whose output is kept in a file."""

    def __init__(self, folder: Path, port: int, **more: str) -> None:
        self.output = folder / "output.txt"
        with self.output.open("w") as sink:
            self.child = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--port", str(port)], cwd=PROJECT,
                env=environ_of(folder, PYTHONUNBUFFERED="1", **more), stdout=sink, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def ready(self) -> str:
        """Return the address that it serves at."""

        def answered() -> re.Match[str] | None:
            assert self.child.poll() is None, self.output.read_text()
            return re.search(r"Ready: (http\S+)", self.output.read_text())

        wait_for(answered, "the demo's address")
        found = answered()
        assert found is not None
        return found.group(1)

    def end(self, sign: signal.Signals = signal.SIGINT) -> int:
        self.child.send_signal(sign)
        return self.child.wait(60)


# ── set-up ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "requirements.in", "requirements-dev.in"]
)
def test_a_lock_file_names_no_address(name: str) -> None:
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url", (PROJECT / name).read_text()) == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    text = (PROJECT / name).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if re.match(r"[a-zA-Z0-9]", line)]
    assert len(packages) > 30
    assert [line.split()[0] for line in packages if "--hash=sha256:" not in line] == []


def test_setup_does_nothing_when_nothing_changed() -> None:
    stamp = PROJECT / ".venv" / "installed"
    before = stamp.stat().st_mtime_ns
    done = subprocess.run(["./dev", "setup"], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stamp.stat().st_mtime_ns == before


def test_make_names_what_dev_does() -> None:
    done = subprocess.run(["./dev", "help"], cwd=PROJECT, capture_output=True, text=True)
    targets = re.findall(r"^(\w+):.*##", (PROJECT / "Makefile").read_text(), re.M)
    assert done.returncode == 0
    assert [name for name in targets if f"./dev {name}" not in done.stdout] == []


def test_an_unknown_word_shows_what_there_is() -> None:
    done = subprocess.run(["./dev", "serve"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "./dev demo" in done.stdout


def test_a_start_without_settings_says_how_to_get_them(tmp_path: Path) -> None:
    done = manage(tmp_path, "check")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert "embedded env" in done.stderr


# ── the services by hand ────────────────────────────────────────────────────────────────────────────────────


def test_the_services_start_tell_their_variables_and_stop(state: Path) -> None:
    assert manage(state, "embedded", "start").returncode == 0
    shell = 'eval "$("$0" manage.py embedded env)" && "$0" manage.py check && echo "$NZILA_DIRECT_DATABASE_URL"'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable], cwd=PROJECT, env=environ_of(state), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("postgresql://nzila@/nzila?host=/")
    # Every migration was applied by the owner, and the application's role may write no history away.
    with psycopg.connect(variables(state)["DATABASE_URL"]) as line, pytest.raises(psycopg.errors.InsufficientPrivilege):
        line.execute("DELETE FROM records_fact")

    stopped = manage(state, "embedded", "stop", "--json")
    assert json.loads(stopped.stdout) == {"portal": False, "scratch": False, "valkey": False}
    assert processes_of(state) == []


def test_a_stale_pid_file_neither_stops_the_start_nor_kills_a_stranger(state: Path) -> None:
    assert manage(state, "embedded", "start").returncode == 0
    assert manage(state, "embedded", "stop").returncode == 0
    stranger = subprocess.Popen(["sleep", "120"])
    try:
        cluster = _cluster(state)
        (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n0\n")
        assert json.loads(manage(state, "embedded", "start", "--json").stdout)["portal"] is True
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_was_committed_survives_a_kill_of_every_service(state: Path) -> None:
    assert manage(state, "embedded", "start").returncode == 0
    with connect(state) as line:
        line.execute("CREATE TABLE kept (value text)")
        line.execute("INSERT INTO kept VALUES ('here')")
    for pid in _service_pids(state):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(json.loads(manage(state, "embedded", "status", "--json").stdout).values()), "the end")

    again = manage(state, "embedded", "start", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == {"portal": True, "scratch": True, "valkey": True}
    with connect(state) as line:
        assert line.execute("SELECT value FROM kept").fetchall() == [("here",)]


def test_a_full_disk_is_one_sentence_and_the_next_start_works(state: Path) -> None:
    full = manage(
        state, "embedded", "start",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES)),
    )  # fmt: skip
    assert full.returncode == 1
    assert "The disk is full" in full.stderr
    assert "Traceback" not in full.stderr
    assert full.stderr.strip().count("\n") == 0

    assert manage(state, "embedded", "start").returncode == 0


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refused = manage(tmp_path / "file" / "state", "embedded", "start")
    assert refused.returncode == 1
    assert "cannot use the folder" in refused.stderr
    assert "Traceback" not in refused.stderr


# ── the demo ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_demo_starts_once_goes_on_where_it_was_and_leaves_nothing_running(
    state: Path, postgres_url: str, tmp_path: Path
) -> None:
    name = f"bystander_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{name}"')
    bystander = postgres_url.replace("/postgres?", f"/{name}?")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        # A DATABASE_URL of the shell may be production: the demo must never migrate or seed it.
        demo = Demo(state, port, DATABASE_URL=bystander)
        address = demo.ready()
    assert address != f"http://localhost:{port}/"
    assert f"Port {port} is taken" in demo.output.read_text()
    for person in ("ada", "paul", "sefu", "carine", "aude"):
        assert re.search(rf"^ +{person} +demo-\S+ +\w+", demo.output.read_text(), re.M), person

    second = manage(state, "demo")
    assert second.returncode == 1
    assert f"The demo runs already at {address}" in second.stderr

    with psycopg.connect(bystander) as line:
        assert line.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall() == [(0,)]
    with psycopg.connect(postgres_url, autocommit=True) as line:
        line.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    with connect(state) as line:
        people = line.execute("SELECT count(*) FROM auth_user").fetchall()
        line.execute("CREATE TABLE kept (value text)")

    # The demo dies the hard way, and what it had started dies with it.
    demo.end(signal.SIGKILL)
    wait_for(lambda: processes_of(state) == [], "the end of all processes")

    again = Demo(state, port)
    again.ready()
    with connect(state) as line:
        assert line.execute("SELECT count(*) FROM auth_user").fetchall() == people
        assert line.execute("SELECT count(*) FROM kept").fetchall() == [(0,)]
    assert again.end() == 0, again.output.read_text()
    assert processes_of(state) == []


@pytest.fixture
def postgres_url() -> str:
    """The superuser's URL of the test run's own cluster."""
    return os.environ["DATABASE_URL"]


def _cluster(state: Path, name: str = "portal") -> Path:
    """Return the folder of a cluster; as root it is where `nobody` can reach it."""
    places = (state / name, Path("/var/tmp") / f"rollback-{State(state).tag}" / name)
    return next(place for place in places if (place / "PG_VERSION").exists())


def _service_pids(state: Path) -> list[int]:
    """Return the pids of both postmasters and of Valkey."""
    files = (
        _cluster(state) / "postmaster.pid",
        _cluster(state, "scratch") / "postmaster.pid",
        state / "valkey" / "valkey.pid",
    )
    return [int(file.read_text().splitlines()[0]) for file in files]
