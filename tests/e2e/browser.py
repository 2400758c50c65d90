"""Driving the portal in a real headless Chromium: finding the browser, signing in, and the pages of the main job."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENOUGH_SECONDS = re.compile(r"^(9|[123]\d)$")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_chromium() -> str:
    """Return a Chromium's path; skip the test where there is none, fail instead when CI=true."""
    found = os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    downloads = glob.glob(str(Path.home() / ".cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
    if not found and downloads:
        found = downloads[0]
    if not found:
        sentence = "No Chromium was found; install one or set CHROMIUM to its path."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a headless browser and close it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


class Person:
    """Somebody at a browser of their own; every page is photographed when a folder for it is given."""

    def __init__(self, browser: Browser, address: str, username: str, password: str, photos: Path | None) -> None:
        self.context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
        self.page: Page = self.context.new_page()
        self.photos, self.username, self.password = photos, username, password
        self.complaints: list[str] = []
        # A violated Content-Security-Policy and a broken script both speak on the console.
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self) -> None:
        self.page.goto("/accounts/login/")
        self.page.get_by_label("Username").fill(self.username)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(lambda address: not address.endswith("/accounts/login/"))
        if self.page.url.endswith("/accounts/2fa/authenticate/"):
            self.page.get_by_label("Code").fill(self.code())
            self.page.get_by_role("button", name="Go on").click()
        self.page.wait_for_load_state()

    def add_key(self) -> None:
        """Put a key with a fingerprint reader into the browser."""
        line = self.context.new_cdp_session(self.page)
        line.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                   "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
        line.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def enrol_passkey(self) -> None:
        """Go on from the first sign-in, which leads whoever signs to the enrolment, to a passkey and recovery codes."""
        self.add_key()
        self.page.get_by_role("link", name="Add a passkey").click()
        self.confirm_password()
        self.page.get_by_role("button", name="Make the passkey").click()
        self.page.get_by_role("link", name="I have kept them: go on").click()

    def confirm_password(self) -> None:
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Confirm").click()

    def code(self) -> str:
        """Read the person's code from the demo's authenticator, as somebody who tries the demo does."""
        phone = self.context.new_page()
        phone.goto("/demo/authenticator/")
        # The page loads anew by itself once the codes are over; few seconds are too few to type one.
        expect(phone.locator("[data-seconds-left]")).to_have_text(ENOUGH_SECONDS, timeout=30_000)
        code = phone.locator(f'[data-code-of="{self.username}"]').inner_text()
        phone.close()
        return code

    def photo(self, name: str, *, full: bool = True) -> None:
        if self.photos is not None:
            self.page.screenshot(path=str(self.photos / f"{name}.png"), full_page=full)

    def _note(self, kind: str, text: str) -> None:
        # The answers 403 and 409 are pages too, and the browser reports them as failed resources.
        if kind == "error" and "status of 4" not in text:
            self.complaints.append(text)
