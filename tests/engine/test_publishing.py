"""Publishing: signed commits, a pull request, the patch, and what a moved base branch does to the merge."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from records.models import Fact
from rollbacks.models import Execution, PatchFile, Target
from rollbacks.services import running
from rollbacks.steps import publish
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.operator_server import Operator, operator_server
from tests.rollback import approve, draft, drive, register, step

pytestmark = pytest.mark.django_db(transaction=True)

OUT = "packages/db/drizzle"
SCHEMA = "packages/db/src/schema.ts"
TOKEN = "ghp_canaryZx9canaryZx9"
RETURN = "0003_redundant_starfox"


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with operator_server(tmp_path / "operator") as server:
        server.says("github-token", TOKEN)
        yield server


@pytest.fixture
def shop(nzila: TargetDatabase, operator: Operator) -> TargetDatabase:
    name = nzila.name.upper().replace("-", "_")
    added = {
        f"{name}_GITHUB_TOKEN": TOKEN,
        f"{name}_GITHUB_API_URL": f"http://127.0.0.1:{operator.port}",
        "PORTAL_DEMO": "1",
    }
    return replace(nzila, environ={**nzila.environ, **added})


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "-c",
        "user.name=Colleague",
        "-c",
        "user.email=c@example.test",
        *arguments,
    ]
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def begun(people: dict[str, Any], target: Target) -> Execution:
    request = draft(people, target, RETURN)
    approve(people, request)
    return running.start(people["engineer"], request.pk)


def a_key(folder: Path) -> tuple[Path, Path]:
    """Return a fresh signing key and the file of signers that are believed."""
    key = folder / "signing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = folder / "signers"
    signers.write_text(f"rollback-portal@localhost {key.with_suffix('.pub').read_text()}")
    return key, signers


def test_commits_are_signed_the_branch_has_a_pull_request_and_the_patch_makes_the_same_files(
    shop: TargetDatabase, people: dict[str, Any], operator: Operator, tmp_path: Path
) -> None:
    key, signers = a_key(tmp_path)
    _declare_apart_from_the_migrations(shop)
    execution = begun(people, register(shop, github="nzila/nzila"))
    assert drive(execution, {**shop.environ, "GIT_SIGNING_KEY": str(key)}) == "succeeded"

    published, branch = step(execution, "publish").evidence, step(execution, "stage").evidence["branch"]
    origin = shop.repository.parent / "nzila.git"
    commits = git(origin, "rev-list", f"main..{branch}").split()
    assert len(commits) == 2
    for commit in commits:
        git(origin, "-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", commit)

    assert published["pull_request"] == "https://github.com/nzila/nzila/pull/1" and not published["base_moved"]
    opened = next(each for each in operator.requests if each["method"] == "POST")
    assert opened["path"] == "/repos/nzila/nzila/pulls"
    assert (opened["body"]["head"], opened["body"]["base"]) == (branch, "main")
    # What declares tables and changed since the return point came in, and not what merely changed.
    assert published["schema_to_revert"] == [SCHEMA]
    assert f"- `{SCHEMA}`" in opened["body"]["body"] and "tool.ts" not in opened["body"]["body"]
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    assert "https://github.com/nzila/nzila/pull/1" in page
    assert TOKEN not in page and not any(TOKEN in line for line in Fact.objects.values_list("line", flat=True))

    # Whoever takes the patch gets the very files of the branch.
    path = f"/requests/{execution.request_id}/runs/1/patch/"
    assert path in page
    answer = client_of(people["auditor"]).get(path)
    assert answer["Content-Disposition"] == f'attachment; filename="rb-{execution.request_id}-run-1.patch"'
    git(shop.repository, "switch", "-q", "-c", "by-patch", "origin/main")
    git(shop.repository, "am", "-q", stdin=answer.content)
    assert git(shop.repository, "rev-parse", "HEAD^{tree}") == git(origin, "rev-parse", f"{branch}^{{tree}}")
    assert PatchFile.objects.get().size == len(answer.content)


def test_a_key_that_is_not_there_stops_before_the_target_is_touched(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    execution = begun(people, register(nzila))
    assert drive(execution, {**nzila.environ, "GIT_SIGNING_KEY": str(tmp_path / "none")}) == "failed"
    assert "commit-tree failed" in step(execution, "stage").sentence
    assert step(execution, "apply").attempt == 0


def test_a_moved_main_is_tried_and_explained_and_github_s_refusals_do_not_hold_up_the_record(
    shop: TargetDatabase, people: dict[str, Any], operator: Operator
) -> None:
    execution = begun(people, register(shop, github="nzila/nzila"))
    drive(execution, shop.environ, until="publish")
    _deploy_beside(shop, step(execution, "stage").evidence)
    operator.says("github", "500")
    drive(execution, shop.environ, until="record")
    # Tried again at once, then after a pause; the push before it was harmless to repeat.
    assert "status 500" in step(execution, "publish").sentence and step(execution, "publish").state == "pending"
    operator.says("github", "422")
    operator.says("message", f"base is invalid {TOKEN}")
    execution.steps.filter(name="publish").update(lease_until=None)

    assert drive(execution, shop.environ) == "succeeded"

    published = step(execution, "publish").evidence
    assert published["base_moved"] and published["conflicts"] == [
        f"{OUT}/meta/0005_snapshot.json",
        f"{OUT}/meta/_journal.json",
    ]
    assert "main got 0005_came_later since" in published["clash"] and "journal index 5" in published["clash"]
    assert "migrate() would skip 0005_came_later" in published["clash"]
    assert "base is invalid …" in published["no_pull_request"]
    page = client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()
    assert "The base branch moved since" in page and "journal index 5" in page and "base is invalid" in page


def _declare_apart_from_the_migrations(nzila: TargetDatabase) -> None:
    """Write the repository's history anew as a team would have made it: the undone migration comes in later than the rest."""
    out, newest = nzila.repository / OUT, "0004_audit_events_immutable"
    journal = json.loads((out / "meta/_journal.json").read_text())
    whole = {
        path: path.read_bytes()
        for path in (out / f"{newest}.sql", out / "meta/0004_snapshot.json", out / "meta/_journal.json")
    }
    schema = nzila.repository / SCHEMA
    git(nzila.repository, "switch", "-q", "--orphan", "anew")
    git(nzila.repository, "checkout", "-q", "main", "--", ".")
    for path in whole:
        path.unlink()
    (out / "meta/_journal.json").write_text(json.dumps({**journal, "entries": journal["entries"][:-1]}, indent=2))
    git(nzila.repository, "add", "-A")
    git(nzila.repository, "commit", "-qm", "Up to the return point")
    for path, content in whole.items():
        path.write_bytes(content)
    schema.write_text(f"{schema.read_text()}\n// one more column\n")
    (nzila.repository / "packages/db/src/tool.ts").write_text("export const tool = 1;\n")
    git(nzila.repository, "add", "-A")
    git(nzila.repository, "commit", "-qm", "Add the migration")
    git(nzila.repository, "push", "-qf", "origin", "anew:main")


def _deploy_beside(nzila: TargetDatabase, staged: dict[str, Any]) -> None:
    """A colleague merges a migration of the same index, generated a moment before the rollback's."""
    out = nzila.repository / OUT
    journal = json.loads((out / "meta/_journal.json").read_text())
    parent = json.loads((out / "meta/0004_snapshot.json").read_text())
    entry = {"idx": 5, "version": "7", "when": staged["when"] - 1, "tag": "0005_came_later", "breakpoints": True}
    (out / "0005_came_later.sql").write_text("CREATE TABLE came_later (id integer);\n")
    (out / "meta/0005_snapshot.json").write_text(json.dumps({**parent, "prevId": parent["id"]}, indent=2))
    (out / "meta/_journal.json").write_text(json.dumps({**journal, "entries": [*journal["entries"], entry]}, indent=2))
    git(nzila.repository, "add", "-A")
    git(nzila.repository, "commit", "-qm", "Add a migration")
    git(nzila.repository, "push", "-q", "origin", "main")


def test_the_pull_request_that_is_there_is_found_and_each_refusal_is_a_sentence(
    shop: TargetDatabase, operator: Operator
) -> None:
    from rollbacks.adapters.github import NotOpened, open_pull_request

    def opened(branch: str = "rollback/one", **environ: str) -> str:
        return open_pull_request(
            shop.name,
            "nzila/nzila",
            branch=branch,
            base="main",
            title="T",
            body="B",
            environ={**shop.environ, **environ},
        )

    assert opened() == opened() == "https://github.com/nzila/nzila/pull/1"
    assert [each["method"] for each in operator.requests] == ["GET", "POST", "GET"]
    # Opened by somebody else after it was looked for.
    operator.says("late", "")
    assert opened() == "https://github.com/nzila/nzila/pull/1"
    variable = f"{shop.name.upper().replace('-', '_')}_GITHUB_TOKEN"
    cases = {"401": "token is not valid", "403": "pull requests: write", "404": "not there", "422": "status 422"}
    for status, sentence in cases.items():
        operator.says("github", status)
        with pytest.raises(NotOpened, match=sentence) as refused:
            opened("rollback/two")
        assert not refused.value.again
    operator.says("github", "500")
    with pytest.raises(NotOpened, match="status 500") as broken:
        opened("rollback/two")
    assert broken.value.again and publish.PULL_REQUEST_ATTEMPTS > 1
    with pytest.raises(NotOpened, match="token is not valid"):
        opened("rollback/two", **{variable: "wrong"})
    with pytest.raises(NotOpened, match=f"has no {variable}"):
        opened("rollback/two", **{variable: ""})
    with pytest.raises(NotOpened, match="could not be reached|not a public one|Only https") as unreached:
        opened("rollback/two", PORTAL_DEMO="0")
    assert unreached.value.again
