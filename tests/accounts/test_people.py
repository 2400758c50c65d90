"""One person has one account: twins are refused, and what accounts share is listed."""

from __future__ import annotations

import json
import threading
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from approvals.linkage import links
from approvals.people import add_person
from approvals.refusals import Refused
from approvals.twins import look_of
from records.models import Fact
from tests.accounts.conftest import add

pytestmark = pytest.mark.django_db


def add_named(username: str, email: str = "") -> object:
    return add_person(None, username=username, name="", email=email, password=None, roles=[])


@pytest.mark.parametrize(
    ("one", "two"),
    [("ann", "a.nn"), ("ann", "a-n-n"), ("ann", "Ann"), ("ann", "\u0430nn"), ("ann", "\uff21\uff2e\uff2e")],
)
def test_names_that_read_alike_are_twins(one: str, two: str) -> None:
    assert look_of(one) == look_of(two)
    add_named(one)
    with pytest.raises(Refused):
        add_named(two)
    assert get_user_model().objects.count() == 1
    assert Fact.objects.filter(action="person.added").count() == 1


@pytest.mark.parametrize(("one", "two"), [("ann", "joanna"), ("ann", "anne"), ("ann", "hanna")])
def test_a_part_of_a_name_is_no_twin(one: str, two: str) -> None:
    add_named(one)
    add_named(two)
    assert get_user_model().objects.count() == 2


def test_two_accounts_cannot_have_one_address() -> None:
    add_named("ann", "Ann@portal.example")
    with pytest.raises(Refused, match="one person has one account"):
        add_named("other", "ann@PORTAL.example")


@pytest.mark.parametrize("name", ["", "a b", "a\u200bb", "a\u202eb", "x" * 151])
def test_a_name_that_hides_something_is_none(name: str) -> None:
    with pytest.raises(Refused, match="A user name has only"):
        add_named(name)


@pytest.mark.django_db(transaction=True)
def test_twins_that_are_added_at_once_are_one() -> None:
    barrier, refused = threading.Barrier(6), []

    def run(name: str) -> None:
        try:
            barrier.wait()
            add_named(name)
        except Refused:
            refused.append(name)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("ann", "a.nn", "an-n", "a_nn", "ann.", "a.n.n")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get_user_model().objects.count() == 1 and len(refused) >= 4


def test_the_command_says_why_a_twin_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management.base import CommandError

    add_named("ann")
    with pytest.raises(CommandError, match="looks like ann"):
        call_command("add_person", "a.nn", "--no-password")


def test_the_linkage_report_lists_what_accounts_share() -> None:
    add("dora"), add("eve"), add("fay")
    dora, eve, fay = (get_user_model().objects.get(username=name) for name in ("dora", "eve", "fay"))
    assert links() == []
    # What the portal itself refuses may be in an older database, or come by another way.
    get_user_model().objects.filter(pk=eve.pk).update(email="DORA@portal.example", username="Dora")
    for number, person in enumerate((dora, fay)):
        SocialAccount.objects.create(user=person, provider=f"oidc{number}", uid="subject-1")
        TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    for person in (eve, fay):
        Authenticator.objects.create(user=person, type="webauthn", data={"name": "K", "credential": {"id": "cred"}})

    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("linkage", "--json", stdout=out)
    found = {(each["kind"], each["value"]): [pk for pk, _name in each["people"]] for each in json.loads(out.getvalue())}
    assert found.pop(("e-mail", "dora@portal.example")) == [dora.pk, eve.pk]
    assert found.pop(("identity", "subject-1")) == [dora.pk, fay.pk]
    assert found.pop(("user name", "dora")) == [dora.pk, eve.pk]
    assert found.pop(("passkey", "cred")) == [eve.pk, fay.pk]
    assert [kind for kind, _value in found] == ["authenticator app"] and "JBSWY3DPEHPK3PXP" not in out.getvalue()

    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("linkage", stdout=out)
    assert f"dora (person:{dora.pk}), Dora (person:{eve.pk})" in out.getvalue()
