"""The demo's authenticator shows codes in demo mode, and outside of it there is no such page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client, override_settings

from demo import authenticators, organisation
from tests.clients import until_a_code_lasts

pytestmark = pytest.mark.django_db
MOUNTED = """
import django; django.setup()
from django.urls import NoReverseMatch, resolve, reverse
from django.http import Http404
for attempt in (lambda: resolve("/demo/authenticator/"), lambda: reverse("demo-authenticator")):
    try:
        attempt()
    except (Http404, NoReverseMatch):
        print("absent")
    else:
        print("mounted")
"""


def test_it_shows_the_code_of_everybody_who_signs(people: dict[str, Any]) -> None:
    assert "Nobody is enrolled" in Client().get("/demo/authenticator/").content.decode()
    organisation.enrol(people)
    before = {name: authenticators.code_of(people[name]) for name in ("platform", "security", "cto", "administrator")}
    page = Client().get("/demo/authenticator/").content.decode()
    after = {name: authenticators.code_of(people[name]) for name in before}
    shown = dict(re.findall(r'data-code-of="(\w+)">(\d{6})<', page))
    assert sorted(shown) == ["adele", "carine", "paul", "sefu"]
    for role, person in (("platform", "paul"), ("security", "sefu"), ("cto", "carine"), ("administrator", "adele")):
        assert shown[person] in {before[role], after[role]}
    assert "/demo/authenticator/" in Client().get("/accounts/login/").content.decode()


@override_settings(DEMO=False)
def test_it_refuses_outside_demo_mode_even_where_it_is_mounted(people: dict[str, Any]) -> None:
    organisation.enrol(people)
    answer = Client().get("/demo/authenticator/")
    assert answer.status_code == 404 and "data-code-of" not in answer.content.decode()


@pytest.mark.parametrize(("demo", "found"), [("0", "absent"), ("1", "mounted")])
def test_its_address_exists_in_demo_mode_only(demo: str, found: str) -> None:
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "PORTAL_DEMO": demo}
    done = subprocess.run([sys.executable, "-c", MOUNTED], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [found, found]


def test_who_is_enrolled_is_asked_for_a_code_when_signing_in(people: dict[str, Any]) -> None:
    organisation.enrol(people)
    client = Client()
    asked = client.post("/accounts/login/", {"login": "paul", "password": "demo-platform"})
    assert asked["Location"] == "/accounts/2fa/authenticate/"
    page = client.get("/accounts/2fa/authenticate/").content.decode()
    assert "Second factor" in page and 'name="code"' in page
    assert client.get("/")["Location"].startswith("/accounts/login/")
    until_a_code_lasts()
    given = client.post("/accounts/2fa/authenticate/", {"code": authenticators.code_of(people["platform"])})
    assert given.status_code == 302 and client.get("/").status_code == 200
