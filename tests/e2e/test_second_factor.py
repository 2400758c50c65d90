"""Enrolling and using second factors in a real browser: an app, a passkey of a virtual authenticator, small screens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, expect

from tests.clients import give_factor
from tests.conftest import TargetDatabase
from tests.e2e.browser import Person, chromium
from tests.e2e.stack import stack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]

PHOTOS = Path(__file__).parents[1] / "screenshots"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright's synchronous interface runs an event loop in this thread, which Django would otherwise refuse.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium() as found:
        yield found
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def test_a_passkey_is_enrolled_signs_in_and_is_removed(
    browser: Browser, nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    from tests.accounts.conftest import PASSWORD, add

    PHOTOS.mkdir(exist_ok=True)
    person = add("dora", "platform")
    with stack(nzila) as address:
        dora = Person(browser, address.replace("127.0.0.1", "localhost"), "dora", PASSWORD, PHOTOS)
        dora.add_key()
        page = dora.page
        page.goto("/accounts/login/")
        page.get_by_label("Username").fill("dora")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_text("Enrol a second factor to go on")).to_be_visible()
        dora.photo("30-led-to-enrolment")
        page.get_by_role("link", name="Add a passkey").click()
        dora.confirm_password()
        dora.photo("31-add-passkey")
        expect(page.get_by_label("Sign in with this passkey alone")).to_be_checked()
        page.get_by_role("button", name="Make the passkey").click()
        expect(page.get_by_text("Keep them now")).to_be_visible()
        dora.photo("32-recovery-codes")
        page.get_by_role("link", name="I have kept them: go on").click()
        expect(page.get_by_role("heading", name="My queue")).to_be_visible()

        page.goto("/accounts/logout/")
        page.get_by_role("button", name="Sign out").last.click()
        dora.photo("33-login")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("heading", name="My queue")).to_be_visible()

        page.goto("/accounts/logout/")
        page.get_by_role("button", name="Sign out").last.click()
        page.get_by_label("Username").fill("dora")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        dora.photo("34-second-factor")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="My queue")).to_be_visible()

        page.goto("/accounts/security/")
        expect(page.get_by_text("Your last one, so it stays")).to_be_visible()
        page.get_by_role("link", name="Add an authenticator app").click()
        expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Add an authenticator app")).to_be_visible()
        dora.photo("35-add-app")
        page.goto("/accounts/security/")
        dora.photo("36-account")
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 360, "height": 780})
        for name, path in (
            ("account", "/accounts/security/"), ("add-app", "/accounts/2fa/app/add/"),
            ("add-passkey", "/accounts/2fa/passkeys/add/"), ("codes", "/accounts/2fa/codes/"),
            ("new-codes", "/accounts/2fa/codes/new/"), ("demo-authenticator", "/demo/authenticator/"),
        ):  # fmt: skip
            page.goto(path)
            dora.photo(f"37-small-{name}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, name
        give_factor(people["administrator"])
        adele = Person(browser, address, "adele", "demo-administrator", PHOTOS)
        adele.sign_in()
        for name, path in (
            ("index", "/admin/"),
            ("people", "/admin/auth/user/"),
            ("fact", "/admin/records/fact/1/change/"),
        ):
            adele.page.goto(path)
            adele.photo(f"38-admin-{name}")
        adele.page.goto("/accounts/2fa/codes/new/")
        expect(adele.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
        adele.photo("39-confirm")
        assert dora.complaints == adele.complaints == []
    found = Authenticator.objects.filter(user=person).values_list("type", flat=True)
    assert sorted(found) == ["recovery_codes", "webauthn"]
    credential = Authenticator.objects.get(user=person, type="webauthn").wrap()
    # The authenticator says that it saw a fingerprint or a PIN, which every use of it has to.
    assert credential.authenticator_data.is_user_verified() and credential.is_passwordless


def test_a_key_that_checks_nobody_is_refused(browser: Browser, nzila: TargetDatabase, people: dict[str, Any]) -> None:
    from tests.accounts.conftest import PASSWORD, add

    add("dora", "engineer")
    with stack(nzila) as address:
        dora = Person(browser, address.replace("127.0.0.1", "localhost"), "dora", PASSWORD, None)
        line = dora.context.new_cdp_session(dora.page)
        line.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": False}
        line.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        dora.sign_in()
        dora.page.goto("/accounts/2fa/passkeys/add/")
        dora.confirm_password()
        dora.page.get_by_role("button", name="Make the passkey").click()
        expect(dora.page.get_by_text("Nothing was confirmed.")).to_be_visible(timeout=70_000)
    assert not Authenticator.objects.filter(user__username="dora").exists()
