"""Sessions end when they should, and whoever guesses is stopped."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.test import Client

from approvals.people import add_person
from portal import sessions
from portal.account_pages import browser_words
from records.models import Fact
from tests.accounts.conftest import PASSWORD, add, code_of, sign_in

pytestmark = pytest.mark.django_db


def turn_back(client: Client, **seconds: float) -> None:
    """Make the session as old as if so many seconds had passed since its begin or its last click."""
    session = client.session
    for key, value in seconds.items():
        session[f"session_{key}"] = time.time() - value
    session.save()


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("age", "stays", "sentence"),
    [
        ({"begun": 8 * 3600 - 60, "seen": 10}, True, ""),
        ({"begun": 8 * 3600 + 1, "seen": 10}, False, "eight hours at most"),
        ({"seen": 15 * 60 - 30}, True, ""),
        ({"seen": 15 * 60 + 1}, False, "quarter of an hour"),
    ],
)
def test_a_session_has_an_end_and_does_not_stay_idle(age: dict[str, float], stays: bool, sentence: str) -> None:
    client = sign_in(add("dora", "engineer"))
    turn_back(client, **age)
    assert signed_in(client) is stays
    assert sentence in client.get("/accounts/login/", follow=True).content.decode()


def test_clicks_keep_a_session_awake_and_pages_that_ask_by_themselves_do_not() -> None:
    client = sign_in(add("dora", "engineer"))
    turn_back(client, seen=14 * 60)
    assert signed_in(client) and time.time() - client.session["session_seen"] < 60
    turn_back(client, seen=14 * 60)
    client.get("/targets/", HTTP_HX_REQUEST="true")
    assert time.time() - client.session["session_seen"] > 13 * 60
    turn_back(client, seen=16 * 60)
    ended = client.get("/targets/", HTTP_HX_REQUEST="true")
    assert ended.status_code == 401 and ended["HX-Refresh"] == "true"
    assert not signed_in(client)


def test_losing_a_role_ends_the_session_and_winning_one_does_not() -> None:
    person = add("dora", "engineer", "auditor")
    client = sign_in(person)
    more = ["engineer", "auditor", "on-call"]
    from django.contrib.auth.models import Group

    Group.objects.get_or_create(name="on-call")
    add_person(None, username="dora", name="", email="", password=None, roles=more)
    assert signed_in(client)
    add_person(None, username="dora", name="", email="", password=None, roles=["engineer", "auditor"])
    assert not signed_in(client)
    assert "a role was taken from you" in client.get("/accounts/login/").content.decode()


def test_a_person_who_was_switched_off_is_out_at_once() -> None:
    person = add("dora", "engineer")
    client = sign_in(person)
    person.is_active = False
    person.save()
    assert not signed_in(client)


def test_a_new_password_ends_the_other_sessions() -> None:
    person = add("dora", "engineer")
    here, elsewhere = sign_in(person), sign_in(person)
    new = "quite another password"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert signed_in(here) and not signed_in(elsewhere)
    assert Session.objects.filter(session_key__in=UserSession.objects.values("session_key")).count() == 1
    actions = list(Fact.objects.order_by("seq").values_list("action", flat=True))
    assert actions[-2:] == ["person.password_changed", "person.sessions_ended"]


def test_one_session_or_all_others_can_be_ended_and_none_of_another_person() -> None:
    person, other = add("dora", "engineer"), add("eve", "engineer")
    here, *elsewhere = [sign_in(person, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux) Firefox/140") for _ in range(4)]
    stranger = sign_in(other)
    page = here.get("/accounts/security/").content.decode()
    assert page.count("Firefox on Linux") >= 4 and page.count("This one") == 1
    rows = re.findall(r'name="session" value="(\d+)"', page)
    assert len(rows) == 3

    assert here.post("/accounts/sessions/end/", {"session": rows[0]}).status_code == 302
    assert sorted(signed_in(client) for client in elsewhere) == [False, True, True]
    foreign = UserSession.objects.get(user=other).pk
    here.post("/accounts/sessions/end/", {"session": foreign})
    assert signed_in(stranger)
    here.post("/accounts/sessions/end/")
    assert [signed_in(client) for client in (here, stranger, *elsewhere)] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Safari on iOS"),
        ("curl/8.5", "curl/8.5"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_has_a_name_that_people_know(agent: str, words: str) -> None:
    assert browser_words(agent) == words


def test_wrong_passwords_stop_after_five_even_with_the_right_one() -> None:
    add("dora", "engineer")
    for _attempt in range(5):
        Client().post("/accounts/login/", {"login": "dora", "password": "wrong"})
    late = Client().post("/accounts/login/", {"login": "dora", "password": PASSWORD})
    assert late.status_code == 200 and "Too many failed login attempts" in late.content.decode()


def test_one_address_guesses_at_ten_accounts_a_minute_and_no_more() -> None:
    client = Client()
    for number in range(10):
        client.post("/accounts/login/", {"login": f"person{number}", "password": "wrong"})
    add("dora", "engineer")
    assert (
        "Too many failed" in client.post("/accounts/login/", {"login": "dora", "password": PASSWORD}).content.decode()
    )
    assert sign_in(add("eve", "engineer"), Client(REMOTE_ADDR="192.0.2.7")).get("/").status_code == 200


def test_one_address_may_not_knock_more_than_thirty_times_a_minute() -> None:
    client = Client()
    answers = [client.post("/accounts/login/", {}).status_code for _attempt in range(31)]
    assert answers == [200] * 30 + [429]


def test_wrong_codes_stop_after_five_even_with_the_right_one() -> None:
    person = add("dora", "platform", factor=True)
    client = Client()
    client.post("/accounts/login/", {"login": "dora", "password": PASSWORD})
    for _attempt in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": "nonsense"})
    late = client.post("/accounts/2fa/authenticate/", {"code": code_of(person)})
    assert late.status_code == 200 and "Too many failed" in late.content.decode()
    again = Client()
    again.post("/accounts/login/", {"login": "dora", "password": PASSWORD})
    assert again.post("/accounts/2fa/authenticate/", {"code": code_of(person)}).status_code == 200


def test_confirming_who_one_is_is_limited_to_ten_a_minute() -> None:
    client = sign_in(add("dora", "engineer"))
    answers = [client.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code for _attempt in range(11)]
    assert answers == [200] * 10 + [429]


def test_passkeys_are_limited_too() -> None:
    client = Client()
    answers = [client.post("/accounts/2fa/passkeys/login/", {"credential": "{}"}).status_code for _attempt in range(11)]
    assert answers == [302] * 10 + [429]


def test_limits_are_kept_where_all_processes_see_them() -> None:
    assert configured.CACHES["default"]["BACKEND"].endswith("RedisCache")


def test_an_address_that_a_client_wrote_is_not_believed(settings: Any) -> None:
    add("dora", "engineer")
    for number in range(31):
        answer = Client().post("/accounts/login/", {}, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert answer.status_code == 429


def test_every_address_of_enrolment_exists() -> None:
    from django.urls import get_resolver

    names = {pattern.name for pattern in get_resolver().url_patterns if hasattr(pattern, "name")}
    assert names >= sessions.ENROLMENT
