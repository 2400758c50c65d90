"""Single sign-on against a provider in a process of its own: accounts, groups, twins, second factors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from approvals.models import RoleGrant
from approvals.people import add_person, link
from approvals.refusals import Refused
from approvals.roles import roles_of
from portal.sso import check_mapping
from records.models import Fact
from tests.accounts.conftest import Provider, add

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("provider")]


def roles(username: str) -> tuple[str, ...]:
    return roles_of(get_user_model().objects.get(username=username))


def told(action: str) -> list[dict[str, Any]]:
    return [json.loads(line)["detail"] for line in Fact.objects.filter(action=action).values_list("line", flat=True)]


def test_somebody_new_gets_an_account_without_roles_and_nothing_else(provider: Provider) -> None:
    client, answer = provider.sign_in("grace")
    assert answer.status_code == 302 and answer["Location"] == "/"
    grace = get_user_model().objects.get(username="grace")
    assert roles("grace") == () and not grace.has_usable_password() and not grace.is_staff
    assert SocialAccount.objects.get().provider == "oidc"
    assert client.get("/").status_code == 403
    assert told("person.added") == [{"username": "grace", "source": "sso"}]
    assert "Sign in with Example" in Client().get("/accounts/login/").content.decode()


def test_groups_are_read_anew_at_every_sign_in(provider: Provider) -> None:
    provider.put(grace=["g-audit", "g-unknown"])
    client, _answer = provider.sign_in("grace")
    assert roles("grace") == ("engineer", "auditor")
    assert client.get("/").status_code == 200

    provider.put(grace=["g-platform"])
    provider.sign_in("grace")
    assert roles("grace") == ("platform",)
    # The older browser had roles that are gone, so it is signed out.
    assert client.get("/")["Location"].startswith("/accounts/login/")

    provider.put()
    provider.sign_in("grace")
    assert roles("grace") == ()
    assert [(fact["role"], fact["source"], fact["group"]) for fact in told("person.role_granted")] == [
        ("engineer", "sso", "g-audit"), ("auditor", "sso", "g-audit"), ("platform", "sso", "g-platform"),
    ]  # fmt: skip
    assert {fact["role"] for fact in told("person.role_ended")} == {"engineer", "auditor", "platform"}


def test_a_role_outside_the_mapping_stays_what_an_administrator_made_it(provider: Provider) -> None:
    provider.put(grace=["g-platform"])
    provider.sign_in("grace")
    add_person(None, username="grace", name="", email="", password=None, roles=["platform", "cto"])
    provider.put(grace=[])
    provider.sign_in("grace")
    assert roles("grace") == ("cto",)


def test_a_group_named_like_a_role_grants_nothing(provider: Provider) -> None:
    provider.put(grace=["cto", "administrator"])
    provider.sign_in("grace")
    assert roles("grace") == ()


def test_the_subject_is_who_somebody_is_whatever_their_name_becomes(provider: Provider) -> None:
    provider.sign_in("grace")
    person = get_user_model().objects.get(username="grace")
    person.username, person.email = "renamed", "other@portal.example"
    person.save()
    provider.sign_in("grace")
    assert get_user_model().objects.filter(socialaccount__isnull=False).count() == 1
    assert not get_user_model().objects.filter(username="grace").exists()


@pytest.mark.parametrize(
    ("local", "email", "comes", "because"),
    [
        ("someone", "0@Provider.example", "grace", "one person has one account"),
        ("grace", "", "grace", "looks like"),
        ("ada", "", "аda", "has only the letters"),
        ("ADA", "", "ada", "looks like"),
    ],
)
def test_a_twin_is_refused_and_no_account_is_linked_by_itself(
    provider: Provider, local: str, email: str, comes: str, because: str
) -> None:
    get_user_model().objects.create_user(local, email, "password of a local account")
    client, answer = provider.sign_in(comes)
    assert answer.status_code == 403 and because in answer.content.decode()
    assert get_user_model().objects.count() == 1 and not SocialAccount.objects.exists()
    assert client.get("/").status_code == 302 and not Fact.objects.exists()


def test_an_operator_links_an_identity_to_an_account_that_is_there(provider: Provider) -> None:
    provider.sign_in("grace")
    subject = SocialAccount.objects.get().uid
    get_user_model().objects.filter(username="grace").update(username="gone", email="")
    SocialAccount.objects.all().delete()
    add("grace", "on-call")
    call_command("link_identity", "grace", "--subject", subject)
    client, _answer = provider.sign_in("grace")
    assert client.get("/").status_code == 200
    assert told("person.identity_linked")[-1] == {"provider": "oidc", "identity": subject}
    add("dora")
    with pytest.raises(Refused, match="another account"):
        link(None, username="dora", provider="oidc", subject=subject)


def test_whoever_signs_enrols_first_though_they_came_by_single_sign_on(provider: Provider) -> None:
    provider.put(grace=["g-platform"])
    client, _answer = provider.sign_in("grace")
    led = client.get("/requests/")
    assert led.status_code == 302 and led["Location"].startswith("/accounts/security/")
    assert client.get("/accounts/2fa/app/add/").status_code == 200


def test_an_old_single_sign_on_session_cannot_enrol_a_factor(provider: Provider) -> None:
    client, _answer = provider.sign_in("grace")
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": record["at"] - 301} for record in session["account_authentication_methods"]
    ]
    session.save()
    led = client.get("/accounts/2fa/app/add/")
    assert led.status_code == 302 and led["Location"].startswith("/accounts/login/?next=")
    assert client.get("/").status_code == 302


def test_nobody_adds_an_identity_to_an_account_from_a_browser(provider: Provider) -> None:
    from tests.accounts.conftest import sign_in

    client = sign_in(add("linus-local", "engineer"), Client(HTTP_HOST="127.0.0.1"))
    away = client.post("/accounts/sso/oidc/login/?process=connect")
    assert away.status_code == 302
    state = next(iter(client.session["socialaccount_states"].values()))[0]
    assert state["process"] == "connect"
    _client, answer = _come_back(provider, client, away["Location"], "linus")
    assert answer.status_code == 403 and "operator" in answer.content.decode()
    assert not SocialAccount.objects.exists()


def _come_back(provider: Provider, client: Client, authorize: str, username: str) -> tuple[Client, Any]:
    import requests

    browser = requests.Session()
    form = browser.get(authorize)
    csrf = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    there = browser.post(form.url, {"login": username, "password": "provider", **csrf}, allow_redirects=False)
    back = browser.get(f"{provider.address}{there.headers['Location']}", allow_redirects=False)
    return client, client.get(back.headers["Location"])


def test_a_code_that_was_not_asked_for_signs_nobody_in(provider: Provider) -> None:
    answer = Client(HTTP_HOST="127.0.0.1").get("/accounts/sso/oidc/login/callback/?code=made-up&state=made-up")
    assert answer.status_code in {200, 401} and "nobody was signed in" in answer.content.decode()
    assert not get_user_model().objects.exists()


def test_a_provider_that_is_not_configured_is_not_there() -> None:
    assert Client().post("/accounts/sso/oidc/login/").status_code == 404
    assert "Sign in with Example" not in Client().get("/accounts/login/").content.decode()


def test_without_a_mapping_the_roles_that_came_from_groups_go(provider: Provider, settings: Any) -> None:
    provider.put(grace=["g-platform"])
    provider.sign_in("grace")
    settings.SSO_ROLES = {}
    provider.sign_in("grace")
    assert roles("grace") == () and not RoleGrant.objects.held().exists()


@pytest.mark.parametrize("mapping", [["platform"], {"g": "platform"}, {"g": ["plattform"]}])
def test_a_mapping_that_cannot_be_meant_is_named_by_the_check(settings: Any, mapping: Any) -> None:
    settings.SSO_ROLES = mapping
    assert [error.id for error in check_mapping(None)] in (["portal.E001"], ["portal.E002"])


def test_a_mapping_that_is_no_json_stops_the_start_with_a_sentence() -> None:
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "SSO_ROLES": "{platform"}
    done = subprocess.run([sys.executable, "-c", "import portal.settings"], env=environ, capture_output=True, text=True)
    assert done.returncode == 1 and "SSO_ROLES is not JSON" in done.stderr


def test_forms_may_lead_to_the_provider_and_nowhere_else() -> None:
    configured = {"OIDC_CLIENT_ID": "portal", "OIDC_SERVER_URL": "https://id.example:8443/realms/a", "SSO_ROLES": ""}
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", **configured}
    shown = "from portal import settings as s; print(s.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    done = subprocess.run([sys.executable, "-c", shown], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(["'self'", "https://id.example:8443"])
