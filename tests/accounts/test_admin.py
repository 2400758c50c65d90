"""Django's admin shows rows and changes none, whoever asks; its only sign-in is the portal's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from portal.admin_site import site, tables
from tests.accounts.conftest import PASSWORD, add, sign_in
from tests.conftest import TargetDatabase
from tests.rollback import draft, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser() -> Client:
    person = add("root", "administrator", factor=True)
    person.is_superuser = person.is_staff = True
    person.save()
    return sign_in(person)


def test_the_admin_has_no_sign_in_of_its_own() -> None:
    add("root", "administrator")
    for path in ("/admin/", "/admin/login/", "/admin/auth/user/"):
        led = Client().get(path, follow=True)
        assert led.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/"), path
    guessed = Client().post("/admin/login/", {"username": "root", "password": PASSWORD})
    assert guessed.status_code == 302 and "sessionid" not in guessed.cookies


@pytest.mark.parametrize("role", ["engineer", "platform", "security", "cto", "on-call", "auditor"])
def test_nobody_but_an_administrator_looks_at_rows(role: str) -> None:
    client = sign_in(add("dora", role, factor=True))
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/admin/auth/user/", follow=True).status_code == 403


def test_staff_alone_is_not_enough() -> None:
    person = add("staff", factor=True)
    person.is_staff = True
    person.save()
    assert sign_in(person).get("/admin/auth/user/", follow=True).status_code == 403


def test_a_superuser_can_read_every_table_and_change_none(
    superuser: Client, people: dict[str, Any], nzila: TargetDatabase
) -> None:
    draft(people, register(nzila))
    before = list(get_user_model().objects.order_by("pk").values())
    for model in tables():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = superuser.get(reverse(f"{name}_changelist"))
        assert listed.status_code == 200, name
        assert superuser.get(reverse(f"{name}_add")).status_code == 403, name
        assert superuser.post(reverse(f"{name}_add"), {}).status_code == 403, name
        row = model._default_manager.order_by("-pk").first()
        action = {"action": "delete_selected", "_selected_action": [row.pk if row else 1], "post": "yes"}
        superuser.post(reverse(f"{name}_changelist"), action)
        if row is None:
            continue
        shown = superuser.get(reverse(f"{name}_change", args=[row.pk]))
        assert shown.status_code == 200 and "_save" not in shown.content.decode(), name
        assert superuser.post(reverse(f"{name}_change", args=[row.pk]), {"state": "approved"}).status_code == 403, name
        assert superuser.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, name
        assert model._default_manager.filter(pk=row.pk).exists(), name
    assert list(get_user_model().objects.order_by("pk").values()) == before


def test_no_secret_is_shown(superuser: Client) -> None:
    person = get_user_model().objects.get(username="root")
    factor, session = person.authenticator_set.get(), person.usersession_set.get()
    pages = {
        f"/admin/auth/user/{person.pk}/change/": person.password,
        f"/admin/mfa/authenticator/{factor.pk}/change/": factor.data["secret"],
        f"/admin/usersessions/usersession/{session.pk}/change/": session.session_key,
    }
    for path, secret in pages.items():
        page = superuser.get(path)
        assert page.status_code == 200 and secret not in page.content.decode(), path


def test_the_admins_own_forms_for_the_account_lead_to_the_portals(superuser: Client) -> None:
    assert superuser.get("/admin/password_change/")["Location"] == "/accounts/password/change/"
    assert superuser.post("/admin/logout/")["Location"] == "/accounts/logout/"
    assert superuser.get("/admin/login/")["Location"] == "/admin/"


def test_every_table_of_the_portals_apps_is_a_window() -> None:
    assert {model._meta.app_label for model in tables()} >= {"records", "approvals", "rollbacks", "auth", "mfa"}
    assert set(site._registry) == set(tables())


def test_a_superuser_flag_lets_nobody_sign_or_file() -> None:
    person = add("root", factor=True)
    person.is_superuser = person.is_staff = True
    person.save()
    client = sign_in(person)
    assert client.get("/requests/").status_code == 403
