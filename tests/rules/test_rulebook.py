"""The rule book: the first rule that fits decides, and a mistake is named with its line instead of being used."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from approvals.in_force import rulebook
from approvals.policy import Policy
from approvals.rulebook import RuleBookInvalid, Traits, read_rulebook
from approvals.windows import closed, frozen

RULE = 'version = "1"\n[[rule]]\nname = "all"\nneeds = [{ role = "platform" }]\n'


def needs(policy: Policy) -> list[tuple[str, ...]]:
    return [need.roles for need in policy.needs]


@pytest.mark.parametrize(
    ("traits", "roles"),
    [
        (Traits(), [("platform",)]),
        (Traits(security=True), [("platform",), ("security",), ("cto",)]),
        (Traits(emergency=True), [("platform", "cto", "security")]),
        (Traits(emergency=True, security=True), [("cto", "security")]),
    ],
)
def test_the_runbook_s_rules(traits: Traits, roles: list[tuple[str, ...]]) -> None:
    policy = rulebook().policy_for(traits)
    assert needs(policy) == roles
    assert policy.emergency is traits.emergency
    assert policy.votes_expire_hours == (4 if traits.emergency else 72)


@pytest.mark.parametrize(
    ("when", "caught", "spared"),
    [
        ('environment = ["prod*"]', Traits(environment="production"), Traits(environment="staging")),
        ('target = ["shop", "nzila"]', Traits(target="nzila"), Traits(target="nzila2")),
        ('risk = ["medium", "high"]', Traits(risk="high"), Traits(risk="low")),
        ("data_loss = true", Traits(data_loss=True), Traits()),
        ("non_transactional = true", Traits(non_transactional=True), Traits()),
        ("data_loss = false", Traits(), Traits(data_loss=True)),
        ('tables = ["*.audit_*"]', Traits(tables=("public.a", "public.audit_events")), Traits(tables=("public.audits",))),
        ('owners = ["@nzila/security"]', Traits(owners=("@nzila/security",)), Traits(owners=("@nzila/securit",))),
    ],
)  # fmt: skip
def test_a_condition_catches_and_spares(when: str, caught: Traits, spared: Traits) -> None:
    first = f'[[rule]]\nname = "special"\nwhen = {{ {when} }}\nneeds = [{{ role = "cto" }}]\n'
    book = read_rulebook(RULE.replace("[[rule]]", f"{first}[[rule]]", 1))
    assert needs(book.policy_for(caught)) == [("cto",)]
    assert needs(book.policy_for(spared)) == [("platform",)]


def test_the_first_rule_wins_and_no_rule_approves_nothing() -> None:
    two = RULE + '[[rule]]\nname = "later"\nneeds = [{ role = "cto" }]\n'
    assert needs(read_rulebook(two).policy_for(Traits(security=True))) == [("platform",)]
    only = RULE.replace("needs", "when = { emergency = true }\nneeds")
    assert read_rulebook(only).policy_for(Traits()).needs == ()


def test_a_frozen_policy_reads_the_same_again_and_one_of_old_reads_too() -> None:
    text = (
        RULE
        + 'witness = true\nsecond_factor = "passkey"\nvotes_expire_hours = 2\nwindows = [{ from = "22:00", to = "06:00" }]\n'
    )
    policy = read_rulebook(text).policy_for(Traits())
    assert Policy.of(policy.document()) == policy
    assert needs(policy) == [("platform",), ("witness",)] and policy.passkey
    old = {"version": "v", "rule": "rollback", "needs": [{"role": "platform", "count": 1}]}
    assert needs(Policy.of(old)) == [("platform",)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version = x", 1, "not TOML"),
        ('version = "1"\n', 1, "no [[rule]]"),
        (RULE.replace('version = "1"', "strange = 1"), 1, "“strange” is not known"),
        (RULE.replace('version = "1"', "x"), 1, "not TOML"),
        (RULE.replace('name = "all"\n', ""), 2, "has no name"),
        (RULE.replace("platform", "plattform"), 4, "of platform, security, cto"),
        (RULE.replace('{ role = "platform" }', ""), 4, "names no signatures"),
        (RULE.replace("needs", "when = { emergency = true }\nneeds").replace('{ role = "platform" }', ""), 5, "nobody rolls back alone"),
        (RULE.replace('"platform"', '"platform", count = 0'), 4, "whole number from 1"),
        (RULE.replace('{ role = "platform" }', '{ any = ["cto", "cto"] }'), 4, "a need is"),
        (RULE + 'risk = 1\n', 5, "a rule has no “risk”"),
        (RULE + 'when = { risk = ["huge"] }\n', 5, "not “huge”"),
        (RULE + 'when = { security = "yes" }\n', 5, "true or false"),
        (RULE + "when = { colour = true }\n", 5, "nothing can be asked about “colour”"),
        (RULE + "when = { tables = [] }\n", 5, "list of texts"),
        (RULE + RULE.split("\n", 1)[1], 6, "stands above already"),
        (RULE + "votes_expire_hours = -1\n", 5, "whole number of hours"),
        (RULE + 'second_factor = "sms"\n', 5, "any, passkey"),
        (RULE + "witness = 1\n", 5, "true or false"),
        (RULE + 'windows = [{ from = "25:00", to = "06:00" }]\n', 5, "an hour is written"),
        (RULE + 'windows = [{ from = "22:00", to = "06:00", zone = "Mars/Olympus" }]\n', 5, "no time zone"),
        (RULE + 'windows = [{ days = ["someday"], from = "22:00", to = "06:00" }]\n', 5, "days are of"),
        (RULE + '[[freeze]]\nname = "x"\nfrom = 2026-12-02T00:00:00\nto = 2026-12-01T00:00:00\n', 5, "ends before it begins"),
        (RULE + '[[freeze]]\nname = "x"\nfrom = "soon"\nto = 2026-12-01T00:00:00\n', 5, "are written 2026"),
        (RULE + '[owners]\n"@nzila/db" = "dba"\n', 6, "an owner is"),
        (RULE + "[break_glass]\nreview_hours = 0\n", 6, "1 to 168"),
        (RULE + "[break_glass]\nreview_roles = []\n", 6, "somebody has to review"),
        (RULE + "[defaults]\nvotes = 3\n", 6, "“votes” is not known"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(RuleBookInvalid) as refusal:
        read_rulebook(text)
    said = str(refusal.value)
    assert words in said
    assert f"Line {line}:" in said or f"line {line}," in said


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(RuleBookInvalid) as refusal:
        read_rulebook(RULE.replace("platform", "x") + 'witness = 1\n[owners]\n"@a/b" = "x"\n')
    assert len(str(refusal.value).splitlines()) == 3


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-11-27T21:30", True),  # Friday, 22:30 in Paris
        ("2026-11-28T04:59", True),  # the night belongs to the Friday on which it began
        ("2026-11-28T05:00", False),
        ("2026-11-27T20:59", False),
        ("2026-11-28T21:30", False),  # Saturday
        ("2026-07-03T20:30", True),  # summer time: 22:30 again
        ("2026-07-03T19:59", False),
    ],
)
def test_a_window_is_open_by_its_own_clock(at: str, open_: bool) -> None:
    text = RULE + 'windows = [{ days = ["fri"], from = "22:00", to = "06:00", zone = "Europe/Paris" }]\n'
    said = closed(read_rulebook(text).policy_for(Traits()).windows, moment(at))
    assert (said == "") is open_
    assert open_ or "the next window opens at" in said


def test_without_windows_it_is_always_open() -> None:
    assert closed((), moment("2026-11-27T03:00")) == ""


@pytest.mark.parametrize(
    ("more", "at", "environment", "emergency", "holds"),
    [
        ("", "2026-12-24T12:00", "production", False, True),
        ("", "2026-12-24T12:00", "production", True, False),
        ("emergencies = false", "2026-12-24T12:00", "production", True, True),
        ('environments = ["production"]', "2026-12-24T12:00", "staging", False, False),
        ('environments = ["production"]', "2026-12-24T12:00", "production", False, True),
        ('zone = "Africa/Kinshasa"', "2026-12-19T22:59", "production", False, False),
        ('zone = "Africa/Kinshasa"', "2026-12-19T23:00", "production", False, True),
        ("", "2027-01-02T00:00", "production", False, False),
    ],
)
def test_a_freeze_stands_above_every_approval(
    more: str, at: str, environment: str, emergency: bool, holds: bool
) -> None:
    text = f'{RULE}[[freeze]]\nname = "Holidays"\nfrom = 2026-12-20T00:00:00\nto = 2027-01-02T00:00:00\n{more}\n'
    said = frozen(read_rulebook(text).freezes, moment(at), environment=environment, emergency=emergency)
    assert (said != "") is holds
    assert not holds or "Holidays" in said
