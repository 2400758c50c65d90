"""The pages of people and delegations: who gets in, what they post, and how many queries they take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import queries
from approvals.models import Delegation, RoleGrant
from approvals.people import add_person
from tests.approvals.cases import period, second_administrator
from tests.clients import client_of

pytestmark = pytest.mark.django_db
MAX_QUERIES = 12


def form(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    given = {"role": "cto", "starts_at": now, "ends_at": now + timedelta(days=3), "reason": "Away.", **changes}
    return {
        f"delegate-{name}": value.strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else value
        for name, value in given.items()
    }


def test_two_administrators_make_a_signer_by_the_pages(people: dict[str, Any]) -> None:
    first, second, ada = client_of(people["administrator"]), client_of(second_administrator()), people["engineer"]
    page = first.get(f"/people/{ada.pk}/").content.decode()
    assert "Grant a role" in page and "Engineer" in page
    proposed = first.post(f"/people/{ada.pk}/propose/", {"propose-role": "cto", "propose-reason": "Deputy."})
    assert proposed.status_code == 302
    grant = RoleGrant.objects.get(person=ada, role="cto")
    mine, theirs = first.get("/people/").content.decode(), second.get("/people/").content.decode()
    confirm = f"/grants/{grant.pk}/confirm/"
    assert confirm not in mine and confirm in theirs and "Deputy." in theirs
    assert first.post(confirm).status_code == 409
    assert second.post(confirm).status_code == 302
    assert second.post(confirm).status_code == 409
    assert first.post(f"/grants/{grant.pk}/end/", {"reason": "Back."}).status_code == 302
    shown = first.get(f"/people/{ada.pk}/").content.decode()
    assert "Bruno Kanza" in shown and "Back." in shown


def test_what_was_typed_stays_when_it_is_refused(people: dict[str, Any]) -> None:
    client = client_of(people["administrator"])
    address = f"/people/{people['engineer'].pk}/propose/"
    refused = client.post(address, {"propose-role": "engineer", "propose-reason": "Typed with care."})
    assert refused.status_code == 409
    assert "Typed with care." in refused.content.decode() and "holds the role engineer" in refused.content.decode()
    empty = client.post(address, {"propose-role": "cto", "propose-reason": ""})
    assert empty.status_code == 200 and "This field is required" in empty.content.decode()
    own = client.post(
        f"/people/{people['administrator'].pk}/propose/", {"propose-role": "cto", "propose-reason": "Me."}
    )
    assert own.status_code == 409 and not RoleGrant.objects.filter(confirmed_at__isnull=True).exists()


@pytest.mark.parametrize("role", ["engineer", "platform", "security", "cto", "on-call", "auditor"])
def test_nobody_else_gets_in(people: dict[str, Any], role: str) -> None:
    client, cto = client_of(people[role]), RoleGrant.objects.get(role="cto")
    ada = people["engineer"]
    assert client.get("/people/").status_code == client.get(f"/people/{ada.pk}/").status_code == 403
    for address, content in {
        f"/people/{ada.pk}/propose/": {"propose-role": "auditor", "propose-reason": "x"},
        f"/people/{ada.pk}/account/": {"account-act": "switch_off", "account-reason": "x"},
        f"/people/{ada.pk}/delegate/": {},
        f"/grants/{cto.pk}/end/": {}, f"/grants/{cto.pk}/confirm/": {}, f"/grants/{cto.pk}/refuse/": {},
        "/delegations/1/confirm/": {},
    }.items():  # fmt: skip
        assert client.post(address, content).status_code == 403, address
    assert 'href="/people/"' not in client.get("/").content.decode()
    cto.refresh_from_db()
    assert cto.state == "held" and get_user_model().objects.get(pk=ada.pk).is_active


def test_an_account_is_switched_off_and_on(people: dict[str, Any]) -> None:
    client, paul = client_of(people["administrator"]), people["platform"]
    theirs = client_of(paul)
    done = client.post(f"/people/{paul.pk}/account/", {"account-act": "switch_off", "account-reason": "Left."})
    assert done.status_code == 302 and theirs.get("/").status_code == 302
    page = client.get(f"/people/{paul.pk}/").content.decode()
    assert "Switched off" in page and "Switch the account on again" in page
    again = client.post(f"/people/{paul.pk}/account/", {"account-act": "switch_off", "account-reason": "Left."})
    assert again.status_code == 200 and "not one of the available choices" in again.content.decode()


def test_the_cto_delegates_and_takes_it_back(people: dict[str, Any]) -> None:
    client, aude = client_of(people["cto"]), people["auditor"]
    assert 'href="/delegations/"' in client.get("/").content.decode()
    late = client.post("/delegations/", form(delegate=aude.pk, ends_at=datetime.now(UTC) + timedelta(days=40)))
    assert late.status_code == 409 and "at most 30 days" in late.content.decode() and "Away." in late.content.decode()
    assert client.post("/delegations/", form(delegate=people["cto"].pk)).status_code == 200
    assert client.post("/delegations/", form(delegate=aude.pk)).status_code == 302
    made = Delegation.objects.get()
    assert "In force" in client.get("/delegations/").content.decode()
    assert "CTO (delegated)" in client_of(aude).get("/delegations/").content.decode()
    assert client_of(people["engineer"]).post(f"/delegations/{made.pk}/end/").status_code == 403
    assert client.post(f"/delegations/{made.pk}/end/", {"reason": "Back early."}).status_code == 302
    assert "Back early." in client.get("/delegations/").content.decode()


def test_two_administrators_delegate_for_somebody_who_cannot(people: dict[str, Any]) -> None:
    first, second = client_of(people["administrator"]), client_of(second_administrator())
    address = f"/people/{people['cto'].pk}/delegate/"
    assert first.post(address, form(delegate=people["auditor"].pk)).status_code == 302
    made = Delegation.objects.get()
    confirm = f"/delegations/{made.pk}/confirm/"
    assert confirm not in first.get("/people/").content.decode() and confirm in second.get("/people/").content.decode()
    assert first.post(confirm).status_code == 409 and second.post(confirm).status_code == 302
    assert first.post(confirm).status_code == 409


def test_many_people_come_page_by_page_in_few_queries(people: dict[str, Any]) -> None:
    accounts = get_user_model()
    made = accounts.objects.bulk_create(accounts(username=f"p{number}") for number in range(120))
    now = datetime.now(UTC)
    RoleGrant.objects.bulk_create(
        RoleGrant(person=person, role=role, source="command", confirmed_at=now)
        for person in made for role in ("engineer", "cto", "platform")
    )  # fmt: skip
    Delegation.objects.bulk_create(
        Delegation(holder=one, delegate=other, role="security", made_by=one, confirmed_at=now, **period())
        for one, other in zip(made[:60], made[60:], strict=True)
    )
    for number in range(20):
        RoleGrant.objects.create(
            person=made[number], role="auditor", source="administrator", proposed_by=people["administrator"]
        )
    client = client_of(people["administrator"])
    for address in ("/people/", f"/people/{made[0].pk}/", f"/people/?before={made[60].pk}", "/people/?before=x"):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        assert len(captured) <= MAX_QUERIES, (address, len(captured))
    seen: list[int] = []
    before: int | None = None
    while True:
        rows, before = queries.people(before)
        seen += [row.person.pk for row in rows]
        if before is None:
            break
    assert seen == sorted(accounts.objects.values_list("pk", flat=True), reverse=True)


def test_the_delegations_page_takes_few_queries(people: dict[str, Any]) -> None:
    client = client_of(people["cto"])
    with CaptureQueriesContext(connection) as captured:
        assert client.get("/delegations/").status_code == 200
    assert len(captured) <= MAX_QUERIES


def test_an_empty_place_says_what_to_do(people: dict[str, Any]) -> None:
    nobody = add_person(None, username="nobody", name="", email="", password=None, roles=[])
    page = client_of(people["administrator"]).get(f"/people/{nobody.pk}/").content.decode()
    assert "No role yet" in page and "Nothing is delegated" in page
    own = client_of(people["administrator"]).get(f"/people/{people['administrator'].pk}/").content.decode()
    assert "This is your own account" in own and "/propose/" not in own
