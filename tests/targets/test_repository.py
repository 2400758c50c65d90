"""The repository adapter writes branches by plumbing: no working tree, no force, no way out of the repository."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.target import OUT, create_repository
from rollbacks.adapters.repository import BranchTaken, Repository, RepositoryError

AT = datetime(2026, 2, 20, 12, 0, tzinfo=UTC)
FILES = {f"{OUT}/0005_rollback_x.sql": b"DROP TABLE x;\r\n\xff", "ops/new/record.json": b"{}"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return create_repository(tmp_path)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "safe.directory=*", "-c", "user.name=T", "-c", "user.email=t@example.test", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def write(repository: Repository, name: str = "rollback/one", **changes: object) -> str:
    given: dict[str, object] = {"base": "main", "files": FILES, "message": "Roll back", "author": "Ada", "at": AT}
    return repository.write_branch(name, **{**given, **changes})  # type: ignore[arg-type]


def test_files_are_read_at_a_commit_by_their_path_below_the_folder(clone: Path) -> None:
    repository = Repository(clone)
    files = repository.read_files("main", OUT)
    assert files["0000_initial.sql"] == (clone / OUT / "0000_initial.sql").read_bytes()
    assert "meta/_journal.json" in files and len(files) == 11
    assert repository.read_files("main", f"./{OUT}/") == files
    assert "README.md" in repository.read_files("main", ".")
    assert repository.read_files("main", "no/such/folder") == {}


def test_the_first_file_that_is_there_is_read(clone: Path) -> None:
    repository, places = Repository(clone), (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
    assert repository.read_first("main", places) == (clone / "CODEOWNERS").read_text()
    (clone / ".github").mkdir()
    (clone / ".github/CODEOWNERS").symlink_to("../CODEOWNERS")
    (clone / "docs").mkdir()
    (clone / "docs/CODEOWNERS").write_bytes(b"* @o/a\xff\n")
    git(clone, "add", "--all")
    git(clone, "commit", "-qm", "Places")
    assert repository.read_first("main", places) == (clone / "CODEOWNERS").read_text()
    assert repository.read_first("main", places[::2]) == "* @o/a\ufffd\n"
    assert repository.read_first("main", (".github", "no/CODEOWNERS")) == ""
    with pytest.raises(RepositoryError, match="not a path"):
        repository.read_first("main", ("../CODEOWNERS",))


def test_odd_names_and_bytes_survive_reading(clone: Path) -> None:
    odd = clone / OUT / "sub folder" / "é 'quoted' \t.bin"
    odd.parent.mkdir()
    odd.write_bytes(b"\x00\xff\r\n")
    (clone / OUT / "link.sql").symlink_to("0000_initial.sql")
    git(clone, "add", "--all")
    git(clone, "commit", "-qm", "Odd")
    files = Repository(clone).read_files("main", OUT)
    assert files["sub folder/é 'quoted' \t.bin"] == b"\x00\xff\r\n"
    assert "link.sql" not in files


def test_a_branch_is_written_byte_for_byte_and_the_working_tree_is_not_touched(clone: Path) -> None:
    (clone / "README.md").write_text("half-finished work")
    git(clone, "add", "README.md")
    before = git(clone, "status", "--porcelain"), git(clone, "rev-parse", "HEAD")
    repository = Repository(clone)
    commit = write(repository)
    assert (git(clone, "status", "--porcelain"), git(clone, "rev-parse", "HEAD")) == before
    assert repository.read_files(commit, OUT)["0005_rollback_x.sql"] == FILES[f"{OUT}/0005_rollback_x.sql"]
    assert repository.read_files(commit, "ops/new") == {"record.json": b"{}"}
    assert git(clone, "diff", "--name-only", "main", commit).split("\n") == sorted(FILES)
    assert git(clone, "log", "-1", "--format=%an|%ae|%cn|%aI|%s", commit) == (
        "Ada|rollback-portal@localhost|rollback-portal|2026-02-20T12:00:00+00:00|Roll back"
    )


def test_the_same_content_gives_the_same_commit_on_every_machine(clone: Path, tmp_path: Path) -> None:
    first = write(Repository(clone))
    other = tmp_path / "other.git"
    git(tmp_path, "clone", "-q", "--bare", str(clone), str(other))
    Repository(other).delete_branch("rollback/one")
    assert write(Repository(other), author="Ada <rollback-portal@localhost>") == first


def test_writing_again_returns_the_commit_that_is_there(clone: Path) -> None:
    repository = Repository(clone)
    first = write(repository)
    assert write(repository, at=datetime(2030, 1, 1, tzinfo=UTC), message="Another message") == first


def test_a_branch_with_other_content_or_another_base_is_taken(clone: Path) -> None:
    repository = Repository(clone)
    first = write(repository)
    with pytest.raises(BranchTaken, match="holds something else"):
        write(repository, files={**FILES, "more.txt": b""})
    git(clone, "commit", "-q", "--allow-empty", "-m", "Main moved")
    with pytest.raises(BranchTaken):
        write(repository)
    assert repository.branch_commit("rollback/one") == first


def test_eight_writers_at_once_make_one_branch(clone: Path) -> None:
    start, commits, refused = threading.Barrier(8), set(), []

    def attempt(number: int) -> None:
        start.wait()
        try:
            commits.add(write(Repository(clone), at=datetime(2026, 1, 1 + number, tzinfo=UTC)))
        except RepositoryError as error:
            refused.append(error)

    threads = [threading.Thread(target=attempt, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(commits) == 1 and refused == []


def test_a_branch_is_extended_once(clone: Path) -> None:
    repository = Repository(clone)
    base = write(repository)
    record = {"ops/change-management/one.json": b"{}"}
    grown = repository.extend_branch("rollback/one", base=base, files=record, message="Record", author="Ada")
    assert git(clone, "rev-list", "--count", f"{base}..{grown}") == "1"
    again = repository.extend_branch("rollback/one", base=base, files=record, message="Record", author="Ada")
    assert again == grown
    with pytest.raises(BranchTaken, match="moved by somebody else"):
        repository.extend_branch("rollback/one", base=base, files={"x": b"y"}, message="Record", author="Ada")
    with pytest.raises(RepositoryError, match="is gone"):
        repository.extend_branch("rollback/two", base=base, files=record, message="Record", author="Ada")


def test_a_branch_is_pushed_and_found_at_the_remote(clone: Path) -> None:
    repository = Repository(clone)
    commit = write(repository)
    assert repository.remote_commit("rollback/one") is None
    repository.push("rollback/one")
    repository.push("rollback/one")
    assert repository.remote_commit("rollback/one") == commit
    repository.delete_branch("rollback/one")
    repository.delete_branch("rollback/one")
    assert repository.branch_commit("rollback/one") is None
    assert repository.remote_commit("rollback/one") == commit


def test_a_branch_of_the_remote_is_never_overwritten(clone: Path) -> None:
    repository = Repository(clone)
    commit = write(repository)
    repository.push("rollback/one")
    repository.delete_branch("rollback/one")
    write(repository, files={"other.txt": b""})
    with pytest.raises(BranchTaken, match="remote has other commits"):
        repository.push("rollback/one")
    assert repository.remote_commit("rollback/one") == commit


def test_a_remote_that_refuses_says_why(clone: Path) -> None:
    hook = clone.parent / "nzila.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'error: branch names need a ticket' >&2\nexit 1\n")
    hook.chmod(0o755)
    repository = Repository(clone)
    write(repository)
    with pytest.raises(RepositoryError, match="branch names need a ticket"):
        repository.push("rollback/one")


def test_the_base_is_what_the_remote_has_now(clone: Path, tmp_path: Path) -> None:
    colleague = tmp_path / "colleague"
    git(tmp_path, "clone", "-q", str(clone.parent / "nzila.git"), str(colleague))
    git(colleague, "commit", "-q", "--allow-empty", "-m", "Newer")
    git(colleague, "push", "-q", "origin", "main")
    repository = Repository(clone)
    assert repository.head(repository.base_ref("main")) == git(colleague, "rev-parse", "HEAD")
    assert repository.head("main") != git(colleague, "rev-parse", "HEAD")


def test_without_a_remote_the_local_branch_is_the_base(clone: Path) -> None:
    git(clone, "remote", "remove", "origin")
    repository = Repository(clone)
    assert repository.base_ref("main") == "refs/heads/main" and not repository.has_remote()
    assert repository.remote_commit("main") is None


def test_a_remote_that_is_gone_or_silent_is_one_sentence(clone: Path) -> None:
    git(clone, "remote", "set-url", "origin", "https://ada:pass-word-1@127.0.0.1:9/nzila.git")
    with pytest.raises(RepositoryError) as refusal:
        Repository(clone).base_ref("main")
    assert "pass-word-1" not in str(refusal.value) and str(refusal.value).endswith(".")
    git(clone, "remote", "set-url", "origin", "ssh://silent.invalid/nzila.git")
    git(clone, "config", "core.sshCommand", "sleep 60 #")
    os_environ = dict(os.environ)
    os.environ["GIT_SSH_COMMAND"] = "sleep 60 #"
    try:
        with pytest.raises(RepositoryError, match=r"did not end within 0\.5 s"):
            Repository(clone, timeout=0.5).base_ref("main")
    finally:
        os.environ.clear()
        os.environ.update(os_environ)


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/passwd",
        "a/../../b",
        ".git/config",
        "a/.GIT/config",
        "",
        ".",
        "a\nb",
        "a\\b",
        "a\0b",
        "git~1/x",
    ],
)
def test_a_path_that_is_no_plain_file_of_the_repository_is_refused(clone: Path, name: str) -> None:
    repository = Repository(clone)
    with pytest.raises(RepositoryError):
        write(repository, files={name: b""})
    assert repository.branch_commit("rollback/one") is None


def test_a_file_never_replaces_a_folder_nor_the_other_way_round(clone: Path) -> None:
    for name in ("packages", "README.md/inside.sql"):
        with pytest.raises(RepositoryError):
            write(Repository(clone), files={name: b""})


@pytest.mark.parametrize("name", ["-f", "a..b", "a b", "a.lock", "a/", "", "a//b", "x/.y", "a~1", "--upload-pack=x"])
def test_a_branch_name_that_git_could_misread_is_refused(clone: Path, name: str) -> None:
    repository = Repository(clone)
    for call in (write, Repository.push, Repository.delete_branch, Repository.base_ref, Repository.head):
        with pytest.raises(RepositoryError, match="not a branch name"):
            call(repository, name)


def test_an_unknown_commit_or_folder_is_one_sentence(clone: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="has no commit nowhere"):
        Repository(clone).head("refs/heads/nowhere")
    with pytest.raises(RepositoryError, match="There is no folder"):
        Repository(tmp_path / "missing").head("main")


def test_a_folder_inside_another_repository_is_not_taken_for_it(clone: Path) -> None:
    with pytest.raises(RepositoryError, match="not a git repository"):
        Repository(clone / "packages").head("main")


def test_hooks_and_variables_of_others_do_not_reach_us(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = clone.parent / "hook-ran"
    for name in ("reference-transaction", "pre-push"):
        hook = clone / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    repository = Repository(clone)
    commit = write(repository)
    repository.push("rollback/one")
    monkeypatch.undo()
    assert not marker.exists()
    assert git(clone, "log", "-1", "--format=%an", commit) == "Ada"


def test_a_name_cannot_smuggle_a_header_into_the_commit(clone: Path) -> None:
    commit = write(Repository(clone), author="Eve\ncommitter <x> Mallory <m@example.test>")
    raw = git(clone, "cat-file", "commit", commit)
    assert raw.count("committer ") == 2 and "\ncommitter rollback-portal <" in raw


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a folder to somebody else.")
def test_root_works_on_a_repository_and_a_remote_of_somebody_else(clone: Path) -> None:
    for path in (clone.parent, *clone.parent.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    repository = Repository(clone)
    commit = write(repository)
    repository.push("rollback/one")
    assert repository.remote_commit("rollback/one") == commit
    assert repository.base_ref("main") == "refs/remotes/origin/main"
