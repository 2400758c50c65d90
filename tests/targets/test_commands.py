"""The project's own commands: what they see, how they end, and what of their output is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rollbacks.adapters import commands
from rollbacks.adapters.commands import CannotRun, Ended, refuse_unrunnable, url_of
from rollbacks.adapters.redaction import cleaned, secrets_of
from rollbacks.adapters.target import credentials_from_url
from rollbacks.options import BadOption, Options
from rollbacks.steps.project import sweep_checkouts

CANARY = "Zx9-canary-secret"
ENVIRON = {
    "PATH": os.environ["PATH"],
    "SHOP_DIRECT_DATABASE_URL": f"postgresql://u:{CANARY}@db/shop",
    "NPM_TOKEN": "npm-very-secret",
    "SECRET_KEY": "the-portals-own-key",
    "EDITOR": "ed",
}


def run(
    tmp_path: Path, script: str, *, seconds: int = 20, variables: tuple[str, ...] = (), beat: Any = None, url: str = ""
) -> Ended:
    folder = tmp_path / "checkout"
    folder.mkdir(exist_ok=True)
    command = (sys.executable, "-c", script)
    options = Options(contract_tests=command, seconds=seconds, environment=variables)
    return commands.run(
        command, options=options, folder=folder, environ=ENVIRON, heartbeat=beat or (lambda progress: None), url=url
    )


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def ends_soon(pid: int) -> bool:
    """Whether the process is gone within five seconds; nobody waits for it, so the kernel takes its moment."""
    waited, end = threading.Event(), time.monotonic() + 5
    while alive(pid) and time.monotonic() < end:
        waited.wait(0.02)
    return not alive(pid)


def test_a_command_sees_only_what_it_is_given(tmp_path: Path) -> None:
    script = "import os; print('\\n'.join(sorted(os.environ)), os.getcwd(), os.environ['PATH'], sep='\\n')"
    ended = run(tmp_path, script, variables=("NPM_TOKEN",), url="postgresql://u@db/shop")
    names = ended.output.split("\n")
    assert ended.well and ended.words.startswith("ended with exit code 0 after")
    assert names[:-2] == ["CI", "DATABASE_URL", "HOME", "LC_ALL", "NO_COLOR", "NPM_TOKEN", "PATH", "TMPDIR"]
    assert names[-2:] == [str(tmp_path / "checkout"), ENVIRON["PATH"]]
    assert "DATABASE_URL" not in run(tmp_path, script).output


def test_what_it_says_is_kept_without_secrets_and_control_characters(tmp_path: Path) -> None:
    script = (
        f"import os, sys; print('\\x1b[31mred\\x1b[0m {CANARY} Zx9-\\x00canary-secret', os.environ['DATABASE_URL']);"
        "print('the-portals-own-key', os.environ['NPM_TOKEN'], 'a\\rb', file=sys.stderr); sys.exit(3)"
    )
    ended = run(tmp_path, script, variables=("NPM_TOKEN",), url=f"postgresql://u:{CANARY}@db/shop")
    # Standard error comes at once and standard output at the end.
    assert sorted(ended.output.split("\n")) == ["red … … …", "… … ab"]
    assert ended.document()["exit_code"] == 3 and "exit code 3" in ended.words


def test_a_long_output_is_kept_from_its_end_and_no_secret_survives_the_cut(tmp_path: Path) -> None:
    # Whatever byte the cut falls on, a secret stands there.
    script = f"import sys; sys.stdout.write('{CANARY}' * 40_000 + '\\nthe end')"
    ended = run(tmp_path, script)
    assert ended.cut and ended.output.endswith("the end")
    assert len(ended.output.encode()) <= commands.SHOWN_BYTES
    assert not any(CANARY[at : at + 6] in ended.output for at in range(len(CANARY) - 5))


def test_at_its_limit_everything_that_it_started_is_ended(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "quiet = [sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)']\n"
        "print(subprocess.Popen(quiet).pid, subprocess.Popen(quiet, start_new_session=True).pid, flush=True)\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    ended = run(tmp_path, script, seconds=1)
    assert time.monotonic() - began < 10
    assert ended.late and ended.code is None and "at its limit" in ended.words
    assert [pid for pid in map(int, ended.output.split()) if alive(pid)] == []


def test_what_it_leaves_in_the_background_is_ended_with_it(tmp_path: Path) -> None:
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    ended = run(tmp_path, script)
    assert ended.well and not alive(int(ended.output))


def test_its_process_group_is_ended_where_the_kernel_lists_no_children(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    script = f"import subprocess, time; print(subprocess.Popen({sleeper!r}).pid, flush=True); time.sleep(60)"
    given = {"arguments": [sys.executable, "-c", script], "folder": str(tmp_path), "environment": {}, "seconds": 1}
    code = f"from rollbacks.adapters import command_child as c; c._children = list; print(c.run({given!r}))"
    # Left open: its end would be the sign to end the command.
    reading, writing = os.pipe()
    done = subprocess.run([sys.executable, "-c", code], stdin=reading, capture_output=True, timeout=20, text=True)
    os.close(reading)
    os.close(writing)
    pid, answer = done.stdout.split("\n")[:2]
    assert "'late': True" in answer and not alive(int(pid))


def test_a_lost_lease_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "BEAT_SECONDS", 0.05)

    class LeaseLost(Exception):
        pass

    def beat(progress: dict[str, Any]) -> None:
        if marker.exists():
            raise LeaseLost

    marker = tmp_path / "pid"
    script = f"import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(LeaseLost):
        run(tmp_path, script, beat=beat)
    assert not alive(int(marker.read_text()))


def test_a_killed_worker_takes_its_command_along(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    (tmp_path / "checkout").mkdir()
    script = (
        "import sys\nfrom pathlib import Path\nfrom rollbacks.adapters import commands\n"
        "from rollbacks.options import Options\n"
        f"command = (sys.executable, '-c', \"import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(60)\")\n"
        f"commands.run(command, options=Options(), folder=Path({str(tmp_path / 'checkout')!r}), environ={{}}, heartbeat=lambda p: None)"
    )
    worker = subprocess.Popen([sys.executable, "-c", script])
    waited = threading.Event()
    while not (marker.exists() and marker.read_text()):
        assert worker.poll() is None
        waited.wait(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert ends_soon(int(marker.read_text()))


def test_a_killed_guard_takes_the_command_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "BEAT_SECONDS", 0.05)
    marker = tmp_path / "pid"

    def kill_the_guard(progress: dict[str, Any]) -> None:
        if marker.exists() and marker.read_text():
            _pid, guard = marker.read_text().split()
            os.kill(int(guard), signal.SIGKILL)
            marker.rename(tmp_path / "killed")

    script = f"import os, time; open({str(marker)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}'); time.sleep(60)"
    began = time.monotonic()
    ended = run(tmp_path, script, beat=kill_the_guard)
    assert time.monotonic() - began < 15
    assert ended.code is None and ended.words == "was ended with its guard"
    assert ends_soon(int((tmp_path / "killed").read_text().split()[0]))


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    ended = commands.run(
        ("./no-such",), options=Options(), folder=tmp_path / "checkout", environ={}, heartbeat=lambda progress: None
    )
    assert not ended.well and "could not be started (No such file" in ended.words


def test_preflight_finds_what_is_missing_on_the_worker() -> None:
    refuse_unrunnable(Options(contract_tests=("git", "x"), environment=("NPM_TOKEN",)), ENVIRON)
    refuse_unrunnable(Options(contract_tests=("./scripts/x",)), ENVIRON)
    with pytest.raises(CannotRun, match="variable HARBOUR"):
        refuse_unrunnable(Options(migrate=("git",), environment=("HARBOUR",)), ENVIRON)
    with pytest.raises(CannotRun, match="program no-such-program"):
        refuse_unrunnable(Options(prepare=("no-such-program",)), ENVIRON)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("postgres://u:p%40%2F@db.internal:6000/shop?sslmode=require", "postgresql://u:p%40%2F@db.internal:6000/shop?sslmode=require"),
        ("postgresql://u@/shop?host=/run/pg&port=7", "postgresql://u@/shop?host=/run/pg&port=7"),
        ("postgresql://u@[::1]:5/a%20b", "postgresql://u@[::1]:5/a%20b"),
    ],
)  # fmt: skip
def test_the_direct_url_is_written_as_drivers_read_it(url: str, written: str) -> None:
    assert url_of(credentials_from_url("shop", url, source="X")) == written


def test_every_form_of_a_password_is_found_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:p%40ss%2Fword@db/shop\n")
    secrets = secrets_of({"A_URL_FILE": str(tmp_path / "url"), "EDITOR": "emacs-nox"}, also=["x", "harbour-7"])
    assert {"p%40ss%2Fword", "p@ss/word", "harbour-7"} <= set(secrets) and not {"emacs-nox", "x"} & set(secrets)
    hook = secrets_of(
        {"SHOP_DEPLOY_FREEZE_URL": "https://hooks.example.com/rollbacks/T0KENT0KENT0KEN?key=a%2Fqueryvalue"}
    )
    assert {"T0KENT0KENT0KEN", "a/queryvalue"} <= set(hook) and "rollbacks" not in hook
    assert cleaned("p@ss/word p%40ss%2Fword emacs-nox", secrets) == "… … emacs-nox"


@pytest.mark.parametrize(
    "wrong",
    [
        {"contract_tests": ("",)}, {"migrate": ("a\0b",)}, {"environment": ("PATH",)}, {"environment": ("DATABASE_URL",)},
        {"environment": ("a b",)}, {"seconds": 0}, {"seconds": 100_000}, {"flags": {"": True}}, {"flags": {"flags/x": True}},
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadOption):
        Options(**wrong)


def test_a_checkout_that_a_killed_worker_left_is_removed_a_day_later(tmp_path: Path) -> None:
    for name in ("rollback-checkout-old", "rollback-checkout-new", "somebody-elses"):
        (tmp_path / name / "checkout").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "rollback-checkout-link").symlink_to(outside)
    now = time.time()
    for name in ("rollback-checkout-old", "somebody-elses"):
        os.utime(tmp_path / name, (now - 90_000, now - 90_000))
    sweep_checkouts(now=now, place=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "outside", "rollback-checkout-link", "rollback-checkout-new", "somebody-elses",
    ]  # fmt: skip
