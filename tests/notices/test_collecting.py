"""From facts to deliveries: who is told of what, exactly once, and what a person may switch off."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from approvals.models import Case
from approvals.policy import Choice
from notices import collecting
from notices.channels.addresses import addresses_of
from notices.models import Delivery, Notice, Preference, Turn
from notices.preferences import set_preferences
from rollbacks.models import Revision
from tests.notices.conftest import DIGEST, a_case, a_request, edited, fact, gather, vote

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "NOTIFY_URLS": "platform Platform chat slack://T1/T2/T3\non-call Pager pagerduty://a@b\nteam Everybody gchat://a/b/c"
}


def told(kind: str) -> dict[str, set[str]]:
    """Return for each notice of the kind, by its title, who is told."""
    found: dict[str, set[str]] = {}
    for each in Delivery.objects.filter(notice__kind=kind).select_related("notice", "person"):
        name = each.person.get_username() if each.person else each.recipient
        found.setdefault(each.notice.title, set()).add(name)
    return found


def test_everybody_who_could_sign_is_asked_and_nobody_else(people: dict[str, Any]) -> None:
    a_case(people, a_request(people))
    gather(ADDRESSES)
    (title, asked), *others = told("sign").items()
    assert asked == {"paul", "sefu", "carine", "Platform chat", "Everybody"} and not others
    assert title.startswith("Please sign RB-") and "Shop back to 0002_calm_fox" in title
    notes = dict(Delivery.objects.filter(channel="email").values_list("person__username", "note"))
    assert notes["paul"] == "You can sign as Platform."


def test_who_is_barred_or_has_signed_is_not_asked(people: dict[str, Any]) -> None:
    request = a_request(people)
    a_case(people, request)
    vote(people, request, "platform")
    Case.objects.update(barred={str(people["cto"].pk): "You edited it."})
    gather()
    assert set(told("sign").popitem()[1]) == {"sefu"}


def test_a_vote_is_told_to_author_and_editors_and_not_to_the_voter(people: dict[str, Any]) -> None:
    request = a_request(people)
    Revision.objects.create(request=request, number=2, author=people["on-call"])
    a_case(people, request)
    vote(people, request, "platform", Choice.REJECT)
    gather()
    (title, heard), *_ = told("vote").items()
    assert heard == {"ada", "odette"} and "rejected" in title
    assert "Not today." in Notice.objects.get(kind="vote").content["ask"]


def test_who_had_voted_hears_that_the_vote_no_longer_counts_and_why(people: dict[str, Any]) -> None:
    request = a_request(people)
    a_case(people, request)
    vote(people, request, "platform")
    edited(people, request, "ada edited the request.")
    gather()
    (title, heard), *_ = told("void").items()
    assert heard == {"paul"} and "no longer counts" in title
    assert "because: ada edited the request." in Notice.objects.get(kind="void").content["ask"]


@pytest.mark.parametrize(
    ("after", "kind", "expected"),
    [
        ("executing", "run", {"ada", "paul", "Everybody"}),
        ("succeeded", "run", {"ada", "paul", "Everybody"}),
        ("failed", "run", {"ada", "paul", "Everybody"}),
        ("needs_attention", "attention", {"ada", "paul", "odette", "Pager", "Everybody"}),
        ("withdrawn", "run", None),
    ],
)
def test_how_a_run_goes_is_told(people: dict[str, Any], after: str, kind: str, expected: set[str] | None) -> None:
    request = a_request(people)
    a_case(people, request)
    vote(people, request, "platform")
    gather()
    fact(None, "request.moved", f"request:{request.pk}", before="in_review", after=after, sentence="The line broke.")
    gather(ADDRESSES)
    heard = told(kind)
    assert (heard.popitem()[1] if expected else heard or None) == expected


@pytest.mark.parametrize(
    ("action", "detail", "expected"),
    [
        ("break_glass.used", {"reason": "Payments are down.", "incident": "INC-7"},
         {"ada", "paul", "sefu", "carine", "odette", "aude", "adele", "Pager", "Platform chat", "Everybody"}),
        ("review.owed", {"roles": ["cto", "security"]}, {"carine", "sefu"}),
        ("review.overdue", {"roles": ["security"]}, {"sefu", "carine", "adele", "Pager", "Platform chat", "Everybody"}),
    ],
)  # fmt: skip
def test_the_emergency_path_is_told_from_the_table_alone(
    people: dict[str, Any], action: str, detail: dict[str, Any], expected: set[str]
) -> None:
    for person in people.values():
        set_preferences(person, {"break_glass": "off"})
    request = a_request(people)
    fact(people["on-call"], action, f"request:{request.pk}", **detail)
    gather(ADDRESSES)
    assert told("break_glass").popitem()[1] == expected


def test_a_fact_that_is_read_again_is_not_told_again(people: dict[str, Any]) -> None:
    a_case(people, a_request(people))
    gather(ADDRESSES)
    before = set(Delivery.objects.values_list("pk", flat=True))
    Turn.objects.update(seq=0)
    gather(ADDRESSES)
    assert set(Delivery.objects.values_list("pk", flat=True)) == before != set()


@pytest.mark.django_db(transaction=True)
def test_two_collectors_at_once_tell_once(people: dict[str, Any]) -> None:
    for _ in range(4):
        a_case(people, a_request(people))
    barrier = threading.Barrier(3)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            barrier.wait()
            gather(ADDRESSES)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gather(ADDRESSES)
    assert failures == []
    assert Notice.objects.count() == 4 and Delivery.objects.count() == 4 * 5


@pytest.mark.parametrize(
    ("left", "expected"),
    [(timedelta(hours=30), []), (timedelta(hours=20), ["24h"]), (timedelta(minutes=90), ["2h"]), (-timedelta(1), [])],
)
def test_a_reminder_goes_out_once_before_the_signatures_expire(
    people: dict[str, Any], left: timedelta, expected: list[str]
) -> None:
    request = a_request(people)
    a_case(people, request)
    vote(people, request, "platform")
    now = Case.objects.get().opened_at + timedelta(hours=72) - left
    for _ in range(3):
        collecting.remind((), now=now)
    keys = Notice.objects.filter(kind="expiring").values_list("key", flat=True)
    assert [key.rpartition(":")[2] for key in keys] == expected
    assert all(heard == {"sefu", "carine"} for heard in told("expiring").values())


def test_a_case_without_an_expiry_is_reminded_of_nothing(people: dict[str, Any]) -> None:
    a_case(people, a_request(people))
    case = Case.objects.get()
    Case.objects.update(policy={**case.policy, "request_expires_hours": 0})
    collecting.remind((), now=case.opened_at + timedelta(days=900))
    assert not Notice.objects.exists()


def test_a_fact_that_cannot_be_told_does_not_keep_the_next_one(people: dict[str, Any]) -> None:
    broken, whole = a_request(people), a_request(people)
    Revision.objects.filter(request=broken).update(plan={"undo": 7, "reason": None})
    a_case(people, broken)
    a_case(people, whole)
    gather()
    assert list(Notice.objects.values_list("subject", flat=True)) == [f"request:{whole.pk}"]


def test_a_person_chooses_what_is_mailed_but_not_what_is_urgent(people: dict[str, Any]) -> None:
    changed = set_preferences(people["platform"], {"sign": "off", "run": "daily", "attention": "off"})
    assert changed and not Preference.objects.filter(kind="attention").exists()
    request = a_request(people)
    a_case(people, request)
    vote(people, request, "platform")
    for after in ("executing", "needs_attention"):
        fact(None, "request.moved", f"request:{request.pk}", before="in_review", after=after)
    gather()
    channels = Delivery.objects.filter(person=people["platform"]).values_list("notice__kind", "channel")
    assert set(channels) == {("run", "daily"), ("attention", "email")}


def test_somebody_without_an_address_shows_in_the_outbox(people: dict[str, Any]) -> None:
    people["platform"].email = ""
    people["platform"].save()
    a_case(people, a_request(people), security=False)
    gather()
    delivery = Delivery.objects.get()
    assert delivery.state == "dead" and "no e-mail address" in delivery.error


def test_characters_that_hide_text_are_shown_in_the_frozen_words(people: dict[str, Any]) -> None:
    request = a_request(people)
    a_case(people, request)
    vote(people, request, "platform")
    edited(people, request, "line\r\nbreak \u202e hidden")
    gather()
    ask = Notice.objects.get(kind="void").content["ask"]
    assert "\u202e" not in ask and "\n" not in ask and "⟨U+202E⟩" in ask


def test_an_address_that_cannot_be_used_is_named_by_its_line_only() -> None:
    for line in (
        "on-call Pager smtp://user:hush@host",
        "nobody Pager json://hush",
        "on-call json://hush",
        "team a://b hush://x",
    ):
        with pytest.raises(ValueError, match="Line 1 of NOTIFY_URLS") as refusal:
            addresses_of({"NOTIFY_URLS": line}, roles=["on-call"])
        assert "hush" not in str(refusal.value)


def test_the_digest_of_the_case_is_in_the_notice(people: dict[str, Any]) -> None:
    a_case(people, a_request(people))
    gather()
    assert Notice.objects.get().content["digest"] == DIGEST
