"""The main job in a real browser, on real processes: engineer, platform, security, CTO and auditor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from demo import organisation
from demo import target as demo_target
from tests.conftest import TargetDatabase
from tests.e2e.browser import Person, chromium
from tests.e2e.stack import stack
from tests.rollback import read, register

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]

PHOTOS = Path(__file__).parents[1] / "screenshots"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright's synchronous interface runs an event loop in this thread, which Django would otherwise refuse.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as found:
        yield found
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def person(browser: Browser, address: str, role: str) -> Person:
    known = next(each for each in organisation.PEOPLE if each.role == role)
    PHOTOS.mkdir(exist_ok=True)
    somebody = Person(browser, address, known.username, known.password, PHOTOS)
    somebody.sign_in()
    return somebody


def write_sql(page: Page, tag: str, sql: str) -> None:
    editor = page.locator(f'[id="field-sql-{tag}"] .cm-content')
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    # The editor deletes by itself; text inserted over a selection would be Chromium's own editing.
    page.keyboard.press("Delete")
    page.keyboard.insert_text(sql)


def file_request(ada: Person, target: str) -> str:
    """File, edit, answer and submit; return the request's address."""
    page = ada.page
    page.goto(f"/targets/{target}/")
    ada.photo("02-target")
    page.get_by_role("link", name="Back to here 0002_rich_marten_broadcloak").click()
    ada.photo("03-return-point")
    page.get_by_role("button", name="Open a draft that undoes 2 migrations").click()
    expect(page.locator('[id="field-sql-0004_audit_events_immutable"]')).to_contain_text("DROP TRIGGER IF EXISTS")
    drafted = page.locator('[id="field-sql-0003_redundant_starfox"]')
    expect(drafted).to_contain_text("rollback_archive")
    expect(page.get_by_text("Left to you:")).to_be_visible()
    drafted.scroll_into_view_if_needed()
    ada.photo("03-drafted")
    write_sql(page, "0003_redundant_starfox", demo_target.reverse_sql()["0003_redundant_starfox"])
    page.get_by_label("Reason").fill("Release 2026.11 writes audit events that the reporting service cannot read.")
    ada.photo("04-edit")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Submit for signatures").click()
    expect(page.get_by_role("heading", name="This cannot be done now")).to_be_visible()
    expect(page.get_by_text("needs a justification")).to_be_visible()
    ada.photo("05-refused")
    page.goto(page.url.replace("submit/", ""))
    address = page.url
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Security incident").fill("SEC-2026-041")
    page.get_by_label("Justification").fill("Only until the corrected migration is deployed.")
    page.get_by_role("button", name="Save").click()
    for item in ("on_call", "return_point", "feature_flags"):
        page.locator(f"#checklist-{item} a.btn").click()
        page.get_by_label("What was done").fill(f"Done and confirmed ({item}).")
        page.get_by_role("button", name="Keep the answer").click()
    ada.photo("06-draft")
    page.get_by_role("button", name="Submit for signatures").click()
    expect(page.locator(".page-head").get_by_text("In review")).to_be_visible()
    ada.photo("07-in-review")
    return address


def sign(somebody: Person) -> None:
    page = somebody.page
    page.locator("#waiting tbody th a").first.click()
    somebody.photo(f"08-sign-{somebody.username}")
    page.get_by_label("Approve").check()
    page.get_by_role("button", name="Sign with a passkey").press("Enter")
    expect(page.get_by_text("Your vote is kept.")).to_be_visible()


def verify_offline(auditor: Person, file: Path) -> None:
    """Check the exported record as a stranger would, with nothing but the script and its one package."""
    file.write_bytes(auditor.context.request.get(f"{auditor.page.url}record.json").body())
    script = Path(__file__).parents[2] / "tools" / "verify_signature.py"
    said = subprocess.run([sys.executable, "-I", str(script), str(file)], capture_output=True, text=True, env={})
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("HOLDS") == 4 and "approve by carine" in said.stdout


def accept_its_absence(auditor: Person, platform: Person, security: Person, cto: Person) -> None:
    """Settle what the rollback left open: its migration removed audit immutability."""
    auditor.page.goto("/")
    expect(auditor.page.locator("#follow-ups").get_by_text("Not protected")).to_be_visible()
    auditor.photo("13-missing")
    auditor.page.get_by_role("link", name="Follow-up").first.click()
    address = auditor.page.url
    platform.page.goto(address)
    platform.page.get_by_label("Why it may stay away").fill("The rows are copied to write-once storage every minute.")
    platform.page.get_by_role("button", name="Ask security and the CTO").click()
    expect(platform.page.get_by_text("asked to sign exactly these words")).to_be_visible()
    for signer in (security, cto):
        signer.page.goto(address)
        signer.photo(f"14-follow-up-{signer.username}")
        signer.page.get_by_role("link", name="Your turn: read and sign").click()
        signer.photo(f"15-accept-{signer.username}")
        signer.page.get_by_label("Approve").check()
        signer.page.get_by_role("button", name="Sign with a passkey").press("Enter")
        expect(signer.page.get_by_text("Your vote is kept.")).to_be_visible()
    auditor.page.goto(address)
    expect(auditor.page.get_by_text("Absence accepted").first).to_be_visible()
    auditor.photo("16-accepted")


def test_the_main_job_from_request_to_sealed_record(
    browser: Browser, nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    read(nzila, register(nzila), drafted=True)
    with stack(nzila) as address:
        ada = person(browser, address, "engineer")
        ada.photo("01-queue")
        request = file_request(ada, nzila.name)
        ada.page.goto(request)
        expect(ada.page.get_by_text("You filed this request")).to_be_visible()

        approvers = [person(browser, address, role) for role in ("platform", "security", "cto")]
        for approver in approvers:
            approver.enrol_passkey()
            approver.page.goto("/")
            sign(approver)

        ada.page.goto(request)
        ada.page.get_by_role("link", name="Approved: start").click()
        ada.page.get_by_label("Type the name of the database").fill(nzila.name)
        ada.photo("09-start")
        ada.page.get_by_role("button", name="Start the rollback").click()
        expect(ada.page.get_by_text("The target is at the return point")).to_be_visible(timeout=60_000)
        ada.photo("10-run")

        auditor = person(browser, address, "auditor")
        auditor.page.goto("/records/")
        auditor.page.locator("tbody th a").first.click()
        expect(auditor.page.get_by_text("Digest holds")).to_be_visible()
        auditor.photo("11-record")
        verify_offline(auditor, tmp_path / "record.json")
        accept_its_absence(auditor, *approvers)
        auditor.page.goto("/trail/")
        auditor.photo("12-trail")

        for somebody in (ada, *approvers, auditor):
            assert somebody.complaints == []
    assert nzila.rows("SELECT count(*) FROM drizzle.__drizzle_migrations") == [(6,)]


def test_pages_stay_whole_on_a_small_screen_and_in_the_dark(
    browser: Browser, nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    from tests.rollback import draft

    target = register(nzila)
    request = draft(people, target)
    with stack(nzila) as address:
        ada = person(browser, address, "engineer")
        ada.page.emulate_media(color_scheme="dark")
        ada.page.set_viewport_size({"width": 360, "height": 780})
        for name, path in (
            ("queue", "/"), ("target", f"/targets/{target.name}/"), ("request", f"/requests/{request.pk}/"),
            ("edit", f"/requests/{request.pk}/edit/"), ("trail", "/trail/"),
        ):  # fmt: skip
            ada.page.goto(path)
            ada.photo(f"20-small-{name}")
            wide = ada.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, name
        assert ada.complaints == []
