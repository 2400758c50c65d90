"""Breaking the glass: fewer signatures now, never one person alone, and a review that somebody else owes it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from approvals import reviews
from approvals.models import Case, Review
from approvals.people import add_person
from approvals.services import VoteRefused
from records.models import Fact
from rollbacks.models import Request
from rollbacks.services import running, submission
from rollbacks.services.moves import Refused
from tests.conftest import TargetDatabase
from tests.rollback import draft, drive, register, sign, state_of

pytestmark = pytest.mark.django_db(transaction=True)

EMERGENCY = {
    "production_incident": True, "incident_reference": "INC-7", "emergency": True,
    "emergency_reason": "Every order fails since the release.",
}  # fmt: skip
# Undoes 0003 only, so that nothing of security is touched and platform could sign.
PLAIN = "0003_redundant_starfox"


@pytest.fixture
def emergency(nzila: TargetDatabase, people: dict[str, Any]) -> Request:
    return draft(people, register(nzila), **EMERGENCY)


def submitted(people: dict[str, Any], request: Request) -> str:
    return str(submission.submit(people["engineer"], request.pk).digest)


def actions(request: Request) -> list[str]:
    return list(Fact.objects.filter(subject=f"request:{request.pk}").order_by("seq").values_list("action", flat=True))


def test_one_signature_is_enough_and_a_review_is_owed(
    emergency: Request, people: dict[str, Any], nzila: TargetDatabase
) -> None:
    digest = submitted(people, emergency)
    assert "break_glass.used" in actions(emergency)
    assert Case.objects.get(digest=digest).policy["rule"] == "emergency that touches a security control"
    sign(people["security"], emergency, "security", digest)

    execution = running.start(people["engineer"], emergency.pk)

    review = Review.objects.get(digest=digest)
    assert (review.due_at - review.opened_at).total_seconds() == pytest.approx(24 * 3600, abs=60)
    assert set(review.taken_part) == {people["engineer"].pk, people["security"].pk}
    assert drive(execution, nzila.environ) == "succeeded"


def test_the_requester_alone_cannot_break_it(emergency: Request, people: dict[str, Any]) -> None:
    submitted(people, emergency)
    with pytest.raises(Refused, match="not approved yet"):
        running.start(people["engineer"], emergency.pk)
    add_person(None, username="ada", name="", email="", password=None, roles=["engineer", "security", "cto"])
    with pytest.raises(VoteRefused, match="You filed this request"):
        sign(people["engineer"], emergency, "cto", Case.objects.get(closed_at__isnull=True).digest)


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        ({"emergency_reason": " "}, "needs a reason of its own"),
        ({"incident_reference": ""}, "is for production incidents"),
        ({"production_incident": False}, "is for production incidents"),
    ],
)
def test_it_needs_an_incident_and_a_reason(
    nzila: TargetDatabase, people: dict[str, Any], without: dict[str, Any], sentence: str
) -> None:
    request = draft(people, register(nzila), **{**EMERGENCY, **without})
    with pytest.raises(Refused, match=sentence):
        submission.submit(people["engineer"], request.pk)


def test_nobody_breaks_it_twice_before_the_review(
    emergency: Request, people: dict[str, Any], nzila: TargetDatabase
) -> None:
    second = draft(people, emergency.target, **EMERGENCY)
    first_digest, second_digest = submitted(people, emergency), submitted(people, second)
    for request, digest in ((emergency, first_digest), (second, second_digest)):
        sign(people["cto"], request, "cto", digest)
    drive(running.start(people["engineer"], emergency.pk), nzila.environ)

    with pytest.raises(Refused, match="has not been reviewed yet"):
        running.start(people["engineer"], second.pk)
    third = draft(people, emergency.target, "0001_solid_cargill", **EMERGENCY)
    with pytest.raises(Refused, match="has not been reviewed yet"):
        submission.submit(people["engineer"], third.pk)

    review = Review.objects.get()
    reviews.finish(people["security"], review.pk, justified=True, finding="The orders were failing.")
    assert reviews.blocked(people["engineer"]) == ""
    # Nothing stands against it any more but what the first rollback did to the target.
    execution = running.start(people["engineer"], second.pk)
    assert drive(execution, nzila.environ) == "failed" and state_of(execution) == "failed"


def test_only_somebody_who_took_no_part_reviews(emergency: Request, people: dict[str, Any]) -> None:
    digest = submitted(people, emergency)
    sign(people["cto"], emergency, "cto", digest)
    running.start(people["engineer"], emergency.pk)
    review = Review.objects.get()
    for role, sentence in (
        ("cto", "You took part"),
        ("engineer", "You took part"),
        ("platform", "roles cto, security"),
    ):
        with pytest.raises(reviews.ReviewRefused, match=sentence):
            reviews.finish(people[role], review.pk, justified=True, finding="Fine.")
        assert list(reviews.waiting_for(people[role])) == []
    assert list(reviews.waiting_for(people["security"])) == [review]
    for justified, finding in ((None, "Fine."), (True, " ")):
        with pytest.raises(reviews.ReviewRefused, match="Say whether"):
            reviews.finish(people["security"], review.pk, justified=justified, finding=finding)
    reviews.take_on(people["security"], review.pk)
    reviews.finish(people["security"], review.pk, justified=False, finding="It could have waited.")
    with pytest.raises(reviews.ReviewRefused, match="has been reviewed"):
        reviews.finish(people["security"], review.pk, justified=True, finding="Again.")
    assert actions(emergency)[-2:] == ["review.taken_on", "review.done"]


def test_the_database_knows_that_nobody_reviews_themselves(emergency: Request, people: dict[str, Any]) -> None:
    digest = submitted(people, emergency)
    sign(people["cto"], emergency, "cto", digest)
    running.start(people["engineer"], emergency.pk)
    review = Review.objects.filter(digest=digest)
    with pytest.raises(IntegrityError, match="review_by_another"), transaction.atomic():
        review.update(done_at="2026-01-01T00:00Z", done_by=people["engineer"], justified=True)
    with pytest.raises(IntegrityError, match="review_done_by_somebody"), transaction.atomic():
        review.update(done_at="2026-01-01T00:00Z")


def test_an_overdue_review_is_told_once(emergency: Request, people: dict[str, Any]) -> None:
    digest = submitted(people, emergency)
    sign(people["cto"], emergency, "cto", digest)
    running.start(people["engineer"], emergency.pk)
    assert reviews.escalate() == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_review SET due_at = now() - interval '1 minute'")
    assert [reviews.escalate(), reviews.escalate()] == [1, 0]
    assert actions(emergency)[-1] == "review.overdue"


def test_starting_it_again_owes_no_second_review(
    emergency: Request, people: dict[str, Any], nzila: TargetDatabase
) -> None:
    digest = submitted(people, emergency)
    sign(people["cto"], emergency, "cto", digest)
    environ = {**nzila.environ, "SCRATCH_DATABASE_URL": ""}
    assert drive(running.start(people["engineer"], emergency.pk), environ) == "failed"
    assert drive(running.start(people["engineer"], emergency.pk), nzila.environ) == "succeeded"
    assert Review.objects.count() == 1


def test_without_the_glass_broken_nothing_is_reviewed(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = draft(people, register(nzila), PLAIN)
    digest = submitted(people, request)
    for role in ("platform", "security", "cto"):
        sign(people[role], request, role, digest)
    running.start(people["engineer"], request.pk)
    assert not Review.objects.exists()
    assert "break_glass.used" not in actions(request)
