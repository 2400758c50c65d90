"""The pages of notices: the outbox, preferences, the demo's mail, and notifying on-call from the checklist."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notices.models import Delivery, Notice, Preference
from notices.sending import claim_next, send_due, settle_sent
from records.models import Fact
from rollbacks.models import Answer, Request
from tests.notices.conftest import DIGEST, Server, a_case, a_request, environ_to, gather
from tests.web.test_pages import MAX_QUERIES, client_of

pytestmark = pytest.mark.django_db


def many(people: dict[str, Any], count: int) -> None:
    notice = Notice.objects.create(
        key="fact:1", kind="run", subject="request:1", title="Title <b>", path="/requests/1/",
        content={"title": "Title", "ask": "", "risks": [], "lines": [], "digest": "", "action": "", "effect": ""},
    )  # fmt: skip
    now = datetime.now(UTC)
    Delivery.objects.bulk_create(
        Delivery(
            notice=notice, channel="url", recipient=f"Pager {number}", state="dead", error="The line <broke>.", next_at=now
        )
        for number in range(count)
    )  # fmt: skip


def test_the_outbox_is_the_administrators(people: dict[str, Any]) -> None:
    many(people, 1)
    pk = Delivery.objects.get().pk
    for role, person in people.items():
        expected = 200 if role == "administrator" else 403
        assert client_of(person).get("/notices/").status_code == expected, role
        assert client_of(person).get("/notices/preferences/").status_code == 200
        if role != "administrator":
            assert client_of(person).post(f"/notices/{pk}/again/").status_code == 403
    assert Delivery.objects.get().state == "dead"


def test_the_outbox_takes_few_queries_and_goes_on_by_key(people: dict[str, Any]) -> None:
    many(people, 120)
    client = client_of(people["administrator"])
    with CaptureQueriesContext(connection) as captured:
        first = client.get("/notices/")
    assert len(captured) <= MAX_QUERIES
    assert not any("OFFSET" in query["sql"] or "COUNT(" in query["sql"] for query in captured.captured_queries)
    assert (
        first.context["following"]
        and b"Title &lt;b&gt;" in first.content
        and b"The line &lt;broke&gt;." in first.content
    )
    seen = set()
    key: int | None = 10**9
    while key:
        page = client.get(f"/notices/?state=dead&before={key}")
        seen |= {each.pk for each in page.context["deliveries"]}
        key = page.context["following"]
    assert len(seen) == 120
    assert client.get("/notices/?state=<x>&before=99999999999999999999").status_code == 200
    assert (
        b"Nothing is stuck" not in first.content
        and b"Nothing is stuck" in client.get("/notices/?state=pending").content
    )


def test_an_administrator_sends_again_what_was_given_up(people: dict[str, Any]) -> None:
    many(people, 1)
    client = client_of(people["administrator"])
    pk = Delivery.objects.get().pk
    answered = client.post(f"/notices/{pk}/again/", follow=True)
    assert b"sent again within seconds" in answered.content
    assert Delivery.objects.get().state == "pending"
    assert Fact.objects.get(action="notice.sent_again").actor == people["administrator"]
    assert b"not one that failed" in client.post(f"/notices/{pk}/again/", follow=True).content
    assert b"not one that failed" in client.post("/notices/99999/again/", follow=True).content


def test_preferences_are_kept_and_a_wrong_one_is_named(people: dict[str, Any]) -> None:
    client = client_of(people["platform"])
    choices = {"sign": "now", "expiring": "off", "vote": "daily", "void": "now", "run": "off"}
    assert client.post("/notices/preferences/", choices | {"attention": "off"}).status_code == 302
    assert dict(Preference.objects.values_list("kind", "choice")) == {"expiring": "off", "vote": "daily", "run": "off"}
    assert Fact.objects.get(action="preferences.set").actor == people["platform"]
    page = client.get("/notices/preferences/").content.decode()
    assert page.count("checked") == 5 and "Break-glass" in page and 'name="break_glass"' not in page
    wrong = client.post("/notices/preferences/", choices | {"run": "sometimes"})
    assert wrong.status_code == 200 and b"sometimes is not one of the available choices" in wrong.content


def test_the_demos_mail_is_a_page_of_the_demo_only(people: dict[str, Any], settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    client = client_of(people["engineer"])
    assert b"Nothing was mailed yet" in client.get("/notices/sent/").content
    a_case(people, a_request(people))
    gather()
    send_due({})
    # Mails of one second may share a file.
    first, *others = sorted((tmp_path / "mail").iterdir())
    for other in others:
        first.write_bytes(first.read_bytes() + other.read_bytes())
        other.unlink()
    page = client.get("/notices/sent/").content.decode()
    assert page.count("Please sign RB-") == 3 and DIGEST[:12] in page and "paul@nzila.example" in page
    settings.DEMO = False
    assert client.get("/notices/sent/").status_code == 404


def test_on_call_is_notified_and_the_delivery_is_the_evidence(people: dict[str, Any], receiver: Server) -> None:
    request = a_request(people)
    client = client_of(people["engineer"])
    page = f"/requests/{request.pk}/checklist/on_call/"
    assert b"Notify on-call now" in client.get(page).content
    asked = client.post(f"/requests/{request.pk}/notify-on-call/", follow=True)
    assert b'hx-trigger="every 3s"' in asked.content, "the page follows it before there is a notice"
    assert not Answer.objects.exists()

    Delivery.objects.all().delete()
    gather(environ_to(receiver))
    assert set(Delivery.objects.values_list("channel", flat=True)) == {"email", "url"}
    Delivery.objects.filter(channel="email").update(state="dead", error="Refused.")
    assert not Answer.objects.exists()
    receiver.says("down")
    send_due(environ_to(receiver))
    assert not Answer.objects.exists(), "an attempt that failed is no evidence"

    receiver.says("accept")
    Delivery.objects.filter(channel="url").update(next_at=datetime.now(UTC))
    send_due(environ_to(receiver))
    delivery = Delivery.objects.get(state="sent")
    answer = Answer.objects.get()
    assert (answer.item, answer.person) == ("on_call", people["engineer"])
    assert delivery.sent_at is not None
    for part in ("Pager of the week", delivery.sent_at.strftime("%Y-%m-%d %H:%M:%S UTC"), f"delivery {delivery.pk}"):
        assert part in answer.text
    assert Notice.objects.get().evidence == answer.pk
    assert list(Fact.objects.order_by("seq").values_list("action", flat=True))[-2:] == [
        "checklist.answered", "on_call.notified",
    ]  # fmt: skip
    done = client.get(page).content
    assert b"kept as this item" in done and b"hx-trigger" not in done


def test_a_second_delivery_adds_no_second_answer(people: dict[str, Any], receiver: Server) -> None:
    request = a_request(people)
    client_of(people["engineer"]).post(f"/requests/{request.pk}/notify-on-call/")
    gather(environ_to(receiver))
    send_due(environ_to(receiver))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"} and Delivery.objects.count() == 2
    assert Answer.objects.count() == 1


def test_a_late_delivery_never_touches_a_request_in_review(people: dict[str, Any]) -> None:
    request = a_request(people)
    client = client_of(people["engineer"])
    client.post(f"/requests/{request.pk}/notify-on-call/")
    gather()
    claim = claim_next()
    assert claim is not None
    a_case(people, request)
    settle_sent(claim)
    assert Delivery.objects.get().state == "sent"
    assert not Answer.objects.exists() and Request.objects.get().state == "in_review"
    assert not Fact.objects.filter(action="case.closed").exists()

    refused = client.post(f"/requests/{request.pk}/notify-on-call/")
    assert refused.status_code == 409 and b"while it is a draft" in refused.content


def test_that_nobody_could_be_told_is_said(people: dict[str, Any]) -> None:
    people["on-call"].is_active = False
    people["on-call"].save()
    request = a_request(people)
    client: Client = client_of(people["engineer"])
    client.post(f"/requests/{request.pk}/notify-on-call/")
    gather()
    assert b"nobody could be told" in client.get(f"/requests/{request.pk}/checklist/on_call/").content


@pytest.mark.parametrize("role", ["auditor", "security", "cto", "administrator"])
def test_people_who_may_not_file_may_not_notify_either(people: dict[str, Any], role: str) -> None:
    request = a_request(people)
    assert client_of(people[role]).post(f"/requests/{request.pk}/notify-on-call/").status_code == 403
    assert not Fact.objects.filter(action="on_call.asked").exists()
