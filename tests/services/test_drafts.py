"""A new request arrives with what the worker drafted, and a place left open keeps it from being submitted."""

from __future__ import annotations

from typing import Any

import pytest

from rollbacks.models import Inventory
from rollbacks.services import requests, running, submission
from rollbacks.services.moves import Refused
from rollbacks.services.targets import newest_inventory
from rollbacks.tasks import read_inventory
from tests.conftest import TargetDatabase
from tests.rollback import approve, drive, register, wording

pytestmark = pytest.mark.django_db(transaction=True)

MAPPED = """UPDATE "public"."members" SET "role" = 'member' WHERE "role" = 'auditor';"""
FILLED = """UPDATE "public"."members" SET "display_name" = concat_ws(' ', "given_name", "family_name");"""


@pytest.fixture
def worker(nzila: TargetDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the worker's variables."""
    for name, value in nzila.environ.items():
        monkeypatch.setenv(name, value)


def test_a_new_request_arrives_drafted_and_the_draft_is_run_when_its_open_places_are_filled(
    nzila: TargetDatabase, people: dict[str, Any], worker: None
) -> None:
    target = register(nzila)
    read_inventory(target.pk)
    empty = wording(target, "0002_rich_marten_broadcloak", reverse_sql={})
    request = requests.open_request(
        people["engineer"], target=target, return_to="0002_rich_marten_broadcloak",
        wording=requests.Wording(**{**empty.__dict__, "reverse_sql": {}}),
    )  # fmt: skip
    for item in ("on_call", "return_point", "feature_flags"):
        requests.answer(people["engineer"], request.pk, item=item, text="Done.")
    drafted = request.revisions.get().reverse_sql
    assert 'DROP TYPE "public"."audit_severity"' in drafted["0003_redundant_starfox"]
    with pytest.raises(Refused, match="still says “FILL IN:”"):
        submission.submit(people["engineer"], request.pk)

    # The mapping of the removed enum value has to come before the type is swapped.
    sql = MAPPED + "\n" + drafted["0003_redundant_starfox"].replace("-- FILL IN:", FILLED + "\n-- Filled:")
    filled = requests.Wording(**{**empty.__dict__, "reverse_sql": {**drafted, "0003_redundant_starfox": sql}})
    seen = request.revisions.latest("number").number
    requests.edit_request(people["engineer"], request.pk, wording=filled, seen_revision=seen)
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)

    assert drive(execution, nzila.environ) == "succeeded"
    kept = dict(nzila.rows("SELECT kept_as, row_count FROM rollback_archive.manifest"))
    (columns,) = [name for name in kept if name.endswith("_audit_events_columns")]
    assert kept[columns] == nzila.rows(f"SELECT count(*) FROM rollback_archive.{columns}")[0][0] > 0


def test_the_draft_is_made_once_for_a_chain(
    nzila: TargetDatabase, people: dict[str, Any], worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = register(nzila)
    read_inventory(target.pk)
    first = newest_inventory(target.pk)
    monkeypatch.setenv("SCRATCH_DATABASE_URL", "")
    read_inventory(target.pk)
    second = newest_inventory(target.pk)
    assert first is not None and second is not None and first.pk != second.pk
    assert first.content["drafts"] == second.content["drafts"]
    assert set(first.content["drafts"]["by_tag"]) == {each["tag"] for each in first.content["migrations"]}


def test_what_was_done_to_the_target_by_hand_is_merged_into_the_draft(
    nzila: TargetDatabase, people: dict[str, Any], worker: None
) -> None:
    """The migration made the view anew; going back makes it anew again, and a grant only production has must survive."""
    target = register(nzila)
    with nzila.connect() as line:
        line.execute("GRANT SELECT ON entity_directory TO PUBLIC")
        line.execute("CREATE INDEX by_hand ON audit_events (severity)")
    read_inventory(target.pk)
    found = newest_inventory(target.pk)
    assert found is not None
    drafted = found.content["drafts"]["by_tag"]["0003_redundant_starfox"]
    assert "by_hand" in " ".join(drafted["residue"]), "an index on a column that goes cannot be kept in silence"
    with nzila.connect() as line:
        line.execute("DROP INDEX by_hand")
    read_inventory(target.pk)
    again = newest_inventory(target.pk)
    assert again is not None and again.content["drafts"]["live_sha256"] != found.content["drafts"]["live_sha256"]
    assert "by_hand" not in again.content["drafts"]["by_tag"]["0003_redundant_starfox"]["sql"]


def test_without_a_scratch_server_the_reading_is_kept_and_says_why_there_is_no_draft(
    nzila: TargetDatabase, people: dict[str, Any], worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = register(nzila)
    Inventory.objects.all().delete()
    monkeypatch.setenv("SCRATCH_DATABASE_URL", "")
    read_inventory(target.pk)
    found = newest_inventory(target.pk)
    assert found is not None and found.content["drafts"]["by_tag"] == {}
    assert "SCRATCH_DATABASE_URL is not set" in found.content["drafts"]["error"]
