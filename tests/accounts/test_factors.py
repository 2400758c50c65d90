"""Second factors: enrolling, using, removing, and who cannot do without."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from records.models import Fact
from tests.accounts.conftest import PASSWORD, add, code_of, confirm, sign_in

pytestmark = pytest.mark.django_db

EVERYWHERE = ("/", "/requests/", "/targets/", "/records/", "/trail/", "/admin/", "/accounts/password/change/")


def actions() -> list[str]:
    return list(Fact.objects.filter(action__startswith="person.").order_by("seq").values_list("action", flat=True))


def enrol(client: Client) -> Any:
    """Enrol an authenticator app through the pages; return the answer to the last form."""
    confirm(client)
    page = client.get("/accounts/2fa/app/add/").content.decode()
    secret = re.search(r'class="secret"><code class="wrap">([A-Z2-7]+)</code>', page)
    assert secret
    import time

    code = format_hotp_value(hotp_value(secret[1], int(time.time()) // 30))
    return client.post("/accounts/2fa/app/add/", {"code": code})


@pytest.mark.parametrize("role", ["platform", "security", "cto", "administrator"])
def test_who_signs_or_administers_can_do_nothing_before_enrolment(role: str) -> None:
    client = sign_in(add("dora", role))
    for path in EVERYWHERE:
        led = client.get(path)
        assert led.status_code == 302 and led["Location"].startswith("/accounts/security/?next="), path
        assert client.post(path).status_code == 302, path
    assert client.get("/requests/", HTTP_HX_REQUEST="true")["HX-Redirect"] == "/accounts/security/"
    page = client.get("/accounts/security/?next=/requests/").content.decode()
    assert "Enrol a second factor to go on" in page and "stolen password alone" in page
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/requests/")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", ["engineer", "on-call", "auditor"])
def test_others_may_go_on_without_one(role: str) -> None:
    assert sign_in(add("dora", role)).get("/requests/").status_code == 200


def test_a_superuser_without_a_role_is_led_to_enrolment_too() -> None:
    person = add("root")
    person.is_superuser = person.is_staff = True
    person.save()
    assert sign_in(person).get("/admin/")["Location"].startswith("/accounts/security/")


def test_enrolling_an_app_shows_the_recovery_codes_once_and_is_a_fact() -> None:
    person = add("dora", "platform")
    elsewhere, client = sign_in(person), sign_in(person)
    done = enrol(client)
    assert done["Location"] == "/accounts/2fa/codes/"
    codes = client.get("/accounts/2fa/codes/").content.decode()
    assert len(re.findall(r"<li><code>\d{8}</code></li>", codes)) == 10
    assert "<li><code>" not in client.get("/accounts/2fa/codes/").content.decode()
    assert client.get("/requests/").status_code == 200
    # A session that never saw the factor is over.
    assert elsewhere.get("/accounts/security/")["Location"].startswith("/accounts/login/")
    assert actions()[-3:] == ["person.factor_added", "person.factor_added", "person.sessions_ended"]
    told = json.loads(Fact.objects.filter(action="person.factor_added").order_by("seq")[0].line)
    assert told["actor"]["id"] == person.pk and told["detail"]["kind"] == "totp" and "secret" not in str(told)


def test_enrolling_needs_the_password_once_more() -> None:
    client = sign_in(add("dora", "platform"))
    for path in ("/accounts/2fa/app/add/", "/accounts/2fa/passkeys/add/"):
        assert client.get(path)["Location"].startswith("/accounts/reauthenticate/"), path


def test_the_password_confirms_nothing_for_somebody_who_has_a_factor() -> None:
    person = add("dora", "platform", factor=True)
    client = sign_in(person)
    assert client.get("/accounts/2fa/passkeys/add/")["Location"].startswith("/accounts/2fa/reauthenticate/")
    tried = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert tried.status_code == 302 and tried["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert client.post("/accounts/2fa/app/remove/").status_code == 302
    assert client.get("/accounts/2fa/passkeys/add/").status_code == 302
    assert Authenticator.objects.filter(user=person, type="totp").exists()
    confirm(client, person)
    assert client.get("/accounts/2fa/passkeys/add/").status_code == 200


def test_a_password_alone_signs_nobody_in_who_has_a_factor() -> None:
    person = add("dora", "engineer", factor=True)
    client = Client()
    half = client.post("/accounts/login/", {"login": "dora", "password": PASSWORD})
    assert half["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/")["Location"].startswith("/accounts/login/")
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(person, steps=-1)}).status_code == 200
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(person)}).status_code == 302
    assert client.get("/").status_code == 200


def test_a_code_works_once() -> None:
    person = add("dora", "platform", factor=True)
    code = code_of(person)
    answers = []
    for _browser in range(2):
        client = Client()
        client.post("/accounts/login/", {"login": "dora", "password": PASSWORD})
        answers.append(client.post("/accounts/2fa/authenticate/", {"code": code}).status_code)
    assert answers == [302, 200]


def test_a_recovery_code_works_once_and_another_one_does() -> None:
    client = sign_in(add("dora", "platform"))
    enrol(client)
    codes = re.findall(r"<li><code>(\d{8})</code></li>", client.get("/accounts/2fa/codes/").content.decode())
    answers = []
    for code in (codes[0], codes[0], codes[1]):
        browser = Client()
        browser.post("/accounts/login/", {"login": "dora", "password": PASSWORD})
        answers.append(browser.post("/accounts/2fa/authenticate/", {"code": code}).status_code)
    assert answers == [302, 200, 302]
    assert "8 codes are left" in client.get("/accounts/security/").content.decode()


def test_the_last_factor_of_somebody_who_needs_one_stays() -> None:
    person = add("dora", "platform", factor=True)
    client = sign_in(person)
    confirm(client, person)
    refused = client.post("/accounts/2fa/app/remove/")
    assert refused.status_code == 200 and "last second factor" in refused.content.decode()
    key = Authenticator.objects.create(user=person, type="webauthn", data={"name": "Key", "credential": {"id": "x"}})
    Authenticator.objects.filter(type="totp").delete()
    refused = client.post(f"/accounts/2fa/passkeys/{key.pk}/remove/")
    assert refused.status_code == 302 and Authenticator.objects.filter(pk=key.pk).exists()
    assert "last second factor" in client.get("/accounts/security/").content.decode()


def test_one_of_two_factors_may_go_and_so_may_the_last_of_an_engineer() -> None:
    person, ada = add("dora", "platform", factor=True), add("ada", "engineer", factor=True)
    key = Authenticator.objects.create(user=person, type="webauthn", data={"name": "Key", "credential": {"id": "x"}})
    client = sign_in(person)
    confirm(client, person)
    assert client.post(f"/accounts/2fa/passkeys/{key.pk}/remove/").status_code == 302
    assert not Authenticator.objects.filter(pk=key.pk).exists()
    assert actions()[-1] == "person.factor_removed"
    client = sign_in(ada)
    confirm(client, ada)
    assert client.post("/accounts/2fa/app/remove/").status_code == 302
    assert not Authenticator.objects.filter(user=ada).exists()


def test_nobody_removes_the_passkey_of_another() -> None:
    other = add("dora", "engineer")
    key = Authenticator.objects.create(user=other, type="webauthn", data={"name": "Key", "credential": {"id": "x"}})
    client = sign_in(add("eve", "engineer"))
    confirm(client)
    assert client.post(f"/accounts/2fa/passkeys/{key.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_an_operator_resets_the_factors_of_a_lost_device() -> None:
    person = add("dora", "platform", factor=True)
    client = sign_in(person)
    call_command("reset_factors", "dora")
    assert not Authenticator.objects.exists()
    assert client.get("/accounts/security/")["Location"].startswith("/accounts/login/")
    assert sign_in(person).get("/")["Location"].startswith("/accounts/security/")
    with pytest.raises(CommandError, match="no account nobody"):
        call_command("reset_factors", "nobody")


def test_a_secret_is_sealed_and_a_key_that_was_replaced_still_opens_it(settings: Any) -> None:
    person = add("dora", "platform", factor=True)
    stored = Authenticator.objects.get().data["secret"]
    assert re.fullmatch(r"gAAAA[\w=-]+", stored)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another key of fifty characters, as an operator sets"
    client = Client()
    client.post("/accounts/login/", {"login": "dora", "password": PASSWORD})
    lost = client.post("/accounts/2fa/authenticate/", {"code": "123456"})
    assert lost.status_code == 403 and "ask an operator" in lost.content.decode()
    settings.SECRET_KEY_FALLBACKS = [old]
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(person)}).status_code == 302


def test_there_is_no_sign_up() -> None:
    for path in ("/accounts/signup/", "/accounts/social/signup/", "/accounts/2fa/webauthn/signup/"):
        assert Client().get(path).status_code in {302, 404}, path
        assert Client().post(path, {"username": "eve"}).status_code in {302, 404}, path
