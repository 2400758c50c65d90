"""What the tests of accounts share: people with and without factors, their codes, and a real OpenID provider."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import caches
from django.test import Client

from approvals.people import add_person
from demo.authenticators import enrol
from tests.clients import until_a_code_lasts

PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _own_limits(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Limits are kept in the cache that all test processes share: give each test a corner of its own.

    Signing in is not what takes the time here, so passwords are hashed cheaply.
    """
    monkeypatch.setattr(caches["default"], "key_prefix", uuid.uuid4().hex)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


def add(username: str, *roles: str, factor: bool = False) -> Any:
    """Add a person with a password and, if wanted, an authenticator app."""
    person = add_person(
        None, username=username, name="", email=f"{username}@portal.example", password=PASSWORD, roles=list(roles)
    )
    if factor:
        enrol(person)
    return person


def code_of(person: Any, *, steps: int = 0) -> str:
    """Return what the person's app shows now, or so many periods of 30 seconds later."""
    app = Authenticator.objects.get(user=person, type="totp")
    until_a_code_lasts()
    return format_hotp_value(hotp_value(decrypt(app.data["secret"]), int(time.time()) // 30 + steps))


def sign_in(person: Any, client: Client | None = None, **extra: Any) -> Client:
    """Sign in through the pages with the password and, where one is enrolled, the app's code."""
    client = client or Client(**extra)
    answer = client.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    if answer["Location"] == "/accounts/2fa/authenticate/":
        assert client.post(answer["Location"], {"code": code_of(person)}).status_code == 302
    return client


def confirm(client: Client, person: Any = None) -> None:
    """Confirm once more who one is, as every change of a factor asks: by a code of the person's app, or the password."""
    if person is None:
        assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
        return
    code = code_of(person)
    # Half a minute passes: a code works once, and this one may have signed the person in.
    caches["default"].delete(f"allauth.mfa.totp.used?user={person.pk}&code={code}")
    answer = client.post("/accounts/2fa/reauthenticate/", {"code": code})
    assert answer.status_code == 302, answer.content.decode()


@dataclass
class Provider:
    """A running OpenID provider: who is in which group there, and people's browsers."""

    address: str
    groups: Path

    def put(self, **groups: list[str]) -> None:
        """Set everybody's groups; whoever is left out has no claim of groups."""
        self.groups.write_text(json.dumps(groups))

    def sign_in(self, username: str, client: Client | None = None) -> tuple[Client, Any]:
        """Go from the portal to the provider, sign in there, come back; return the browser and the last answer."""
        client = client or Client(HTTP_HOST="127.0.0.1")
        away = client.post("/accounts/sso/oidc/login/?process=login")
        assert away.status_code == 302 and away["Location"].startswith(self.address), away.content.decode()
        browser = requests.Session()
        form = browser.get(away["Location"])
        csrf = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        there = browser.post(form.url, {"login": username, "password": "provider", **csrf}, allow_redirects=False)
        back = browser.get(f"{self.address}{there.headers['Location']}", allow_redirects=False)
        return client, client.get(back.headers["Location"])


@pytest.fixture(scope="module")
def provider_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("provider")
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    people = ("grace", "linus", "ada", "аda", "margaret")
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.accounts.provider.settings",
        "PROVIDER_DATABASE": str(folder / "provider.sqlite3"),
        "PROVIDER_GROUPS": str(folder / "groups.json"),
        "PROVIDER_KEY": key.decode(),
        "PROVIDER_CALLBACK": "http://127.0.0.1/accounts/sso/oidc/login/callback/",
        "PROVIDER_PEOPLE": json.dumps(
            [{"username": name, "email": f"{n}@provider.example"} for n, name in enumerate(people)]
        ),
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.accounts.provider.serve", str(port)],
        env=environ, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        ready = process.stdout.readline()
        assert ready == "ready\n", process.stderr.read() if process.poll() is not None else ready
        yield Provider(f"http://127.0.0.1:{port}", folder / "groups.json")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def provider(provider_process: Provider, settings: Any) -> Provider:
    """The provider, with a portal that knows it and maps its groups."""
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "oidc", "name": "Example", "client_id": "portal", "secret": "secret of the portal",
                    "settings": {"server_url": provider_process.address},
                }
            ],
        }
    }  # fmt: skip
    settings.SSO_ROLES = {"g-platform": ["platform"], "g-audit": ["auditor", "engineer"]}
    provider_process.put()
    return provider_process
