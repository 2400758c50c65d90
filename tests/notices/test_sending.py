"""From deliveries to mailboxes and receivers: retries, dead letters, two senders at once, and a sender that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from notices import mail, sending, tasks
from notices.channels.outgoing import NotSent
from notices.models import Delivery, DeliveryState, Notice, Turn
from notices.preferences import set_preferences
from notices.sending import Claim, claim_next, send_again, send_due
from notices.turns import SENDING, take_turn
from records.models import Fact
from tests.clients import give_factor
from tests.notices.conftest import (
    DIGEST,
    SECRET,
    Server,
    a_case,
    a_request,
    environ_to,
    fact,
    gather,
    vote,
)  # fmt: skip

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def due_now() -> None:
    """Let the pauses and leases be over, instead of waiting for them."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Delivery.objects.filter(state__in=["pending", "failed"]).update(next_at=past)
    Delivery.objects.filter(state="sending").update(lease_until=past)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content())


def in_a_process(script: str, server: Server) -> subprocess.CompletedProcess[bytes]:
    place = connection.settings_dict
    environ = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{place['USER']}@/{place['NAME']}?host={place['HOST']}",
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    here = Path(__file__)
    return subprocess.run([sys.executable, str(here.with_name(script))], env=environ, cwd=here.parents[2], check=False)


def test_a_mail_says_what_is_asked_in_text_and_in_html(people: dict[str, Any], mail_server: Server) -> None:
    request = a_request(people)
    a_case(people, request, security=False)
    gather()
    assert send_due({}) == 1
    (message,) = mail_server.mails
    assert message["To"] == "paul@nzila.example" and message["Subject"].startswith("[Rollback portal] Please sign RB-")
    assert message["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        text = " ".join(text_of(message, kind).split())
        for wanted in (
            "hat is asked of you",
            "Platform",
            "hat happens if you do",
            DIGEST[:12],
            f"/requests/{request.pk}/sign/",
        ):
            assert wanted.lower() in text.lower(), (kind, wanted)
        assert DIGEST not in text and "reached you before" not in text
    assert Delivery.objects.get().state == "sent"


def test_a_mailbox_that_does_not_exist_is_given_up_at_once(people: dict[str, Any], mail_server: Server) -> None:
    a_case(people, a_request(people), security=False)
    gather()
    mail_server.says("refuse")
    send_due({})
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("dead", 1) and "(550)" in delivery.error
    assert Fact.objects.filter(action="notice.undelivered").count() == 1


def test_pauses_grow_then_it_is_dead_and_can_be_sent_again(
    people: dict[str, Any], receiver: Server, settings: Any
) -> None:
    settings.NOTICE_ATTEMPTS = 3
    request = a_request(people)
    people["on-call"].is_active = False
    people["on-call"].save()
    fact(people["engineer"], "on_call.asked", f"request:{request.pk}")
    gather(environ_to(receiver))
    receiver.says("down")
    pauses = []
    for _ in range(3):
        due_now()
        before = datetime.now(UTC)
        assert send_due(environ_to(receiver)) == 1
        delivery = Delivery.objects.get()
        pauses.append((delivery.state, round((delivery.next_at - before).total_seconds() / 30)))
    assert pauses[:2] == [("failed", 1), ("failed", 3)]
    assert delivery.state == "dead" and "status 503" in delivery.error
    assert send_due(environ_to(receiver)) == 0

    receiver.says("accept")
    assert send_again(people["administrator"], delivery.pk)
    assert send_due(environ_to(receiver)) == 1
    assert not send_again(people["administrator"], delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("sent", "")
    assert list(Fact.objects.filter(action__startswith="notice.").values_list("action", flat=True)) == [
        "notice.undelivered", "notice.sent_again",
    ]  # fmt: skip
    assert len(receiver.posts) == 4


def test_a_channel_that_does_not_answer_costs_one_attempt_and_holds_up_no_other(
    people: dict[str, Any], mail_server: Server, settings: Any
) -> None:
    request = a_request(people)
    a_case(people, request, security=False)
    for _ in range(5):
        fact(people["engineer"], "request.moved", f"request:{request.pk}", after="needs_attention")
    closed = {"NOTIFY_URLS": "on-call Pager json://127.0.0.1:9/x"}
    gather(closed)
    send_due(closed)
    pager = Delivery.objects.filter(channel="url")
    assert sorted(pager.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    assert not Delivery.objects.filter(channel="email").exclude(state="sent").exists()
    assert len(mail_server.mails) == 11


@committed
def test_two_senders_at_once_send_each_delivery_once(people: dict[str, Any], mail_server: Server) -> None:
    for _ in range(5):
        a_case(people, a_request(people))
    gather()
    barrier = threading.Barrier(3)
    attempts = []

    def run() -> None:
        barrier.wait()
        try:
            attempts.append(send_due({}))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(attempts) == 15 == len(mail_server.mails)
    assert len({message["Message-ID"] for message in mail_server.mails}) == 15
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


@committed
def test_a_sender_that_dies_after_sending_sends_twice_at_most_and_says_so(
    people: dict[str, Any], mail_server: Server
) -> None:
    a_case(people, a_request(people), security=False)
    gather()
    assert in_a_process("killed_sender.py", mail_server).returncode == -signal.SIGKILL
    assert Delivery.objects.get().state == "sending"
    assert claim_next() is None, "the lease holds"

    due_now()
    assert in_a_process("killed_sender.py", mail_server).returncode == -signal.SIGKILL
    first, second = mail_server.mails
    assert ["reached you before" in text_of(each) for each in (first, second)] == [False, True]
    assert first["Message-ID"] == second["Message-ID"]

    due_now()
    assert send_due({}) == 0
    delivery = Delivery.objects.get()
    assert delivery.state == "dead" and "may have arrived twice" in delivery.error
    assert len(mail_server.mails) == 2


@committed
def test_no_transaction_is_open_while_a_mail_is_sent(
    people: dict[str, Any], mail_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case(people, a_request(people), security=False)
    gather()
    seen = []
    send = mail.send_mail

    def look(*args: Any, **kwargs: Any) -> None:
        seen.append(connection.in_atomic_block)
        send(*args, **kwargs)

    monkeypatch.setattr(mail, "send_mail", look)
    send_due({})
    assert seen == [False]


def test_an_attempt_that_was_taken_over_settles_nothing(people: dict[str, Any]) -> None:
    a_case(people, a_request(people), security=False)
    gather()
    late = claim_next()
    assert late is not None
    due_now()
    taken = claim_next()
    assert isinstance(taken, Claim) and taken.again
    sending.settle_failure(late, NotSent("Too late."))
    assert Delivery.objects.get().state == DeliveryState.SENDING
    sending.settle_sent(taken)
    sending.settle_failure(late, NotSent("Too late."))
    assert Delivery.objects.get().state == DeliveryState.SENT


def test_a_day_of_notices_is_one_mail(people: dict[str, Any], mail_server: Server) -> None:
    set_preferences(people["engineer"], {"vote": "daily"})
    request = a_request(people)
    a_case(people, request)
    for role in ("platform", "security", "cto"):
        vote(people, request, role)
    gather()
    Delivery.objects.exclude(channel="daily").delete()
    first = Delivery.objects.first()
    assert first is not None and first.next_at.hour == django_settings.NOTICE_DAILY_HOUR
    assert send_due({}) == 0
    due_now()
    assert send_due({}) == 1
    (message,) = mail_server.mails
    assert "3 notices of the day" in message["Subject"]
    assert text_of(message).count(f"/requests/{request.pk}/") == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


@committed
def test_the_task_reads_and_sends_and_only_one_worker_sends(
    people: dict[str, Any], mail_server: Server, receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ_to(receiver, "team").items():
        monkeypatch.setenv(name, value)
    Turn.objects.all().delete()
    a_case(people, a_request(people), security=False)
    other = take_turn(SENDING, seconds=60)
    assert other is not None
    tasks.work()
    assert (Notice.objects.count(), len(mail_server.mails)) == (1, 0)
    Turn.objects.filter(pk=SENDING).update(lease_until=datetime.now(UTC) - timedelta(seconds=1))
    tasks.work()
    tasks.work()
    assert (len(mail_server.mails), len(receiver.posts)) == (1, 1)
    assert Turn.objects.get(pk=SENDING).lease_until is None


def test_a_secret_of_an_address_is_nowhere_but_at_its_receiver(
    people: dict[str, Any], receiver: Server, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from django.contrib.contenttypes.models import ContentType

    a_case(people, a_request(people), security=False)
    environ = environ_to(receiver, "platform")
    with caplog.at_level("DEBUG"):
        gather(environ)
        Delivery.objects.filter(channel="email").delete()
        for mode in ("down", "redirect", "accept"):
            receiver.says(mode)
            due_now()
            send_due(environ)
    assert [post["path"] for post in receiver.posts] == [f"/{SECRET}"] * 3
    assert "RB-" in receiver.posts[0]["body"]["title"] and DIGEST[:12] in receiver.posts[0]["body"]["message"]
    give_factor(people["administrator"])
    client.force_login(people["administrator"])
    pages = "".join(client.get(path).content.decode() for path in ("/notices/?state=sent", "/trail/"))
    assert "Pager of the week" in pages
    rows = "".join(
        repr(list(kind.model_class().objects.values()))
        for kind in ContentType.objects.filter(app_label__in=["notices", "records"])
    )
    said = caplog.text + pages + rows + "".join(post["processes"] for post in receiver.posts)
    assert SECRET not in said
