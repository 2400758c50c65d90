"""The policy page: the rule book in force in words, and which rule would catch a rollback that somebody describes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.in_force import rulebook
from approvals.people import holders_of
from approvals.policy import Need, Policy
from approvals.rulebook import Rule, Traits
from approvals.services import database_time
from approvals.windows import Freeze
from portal.templatetags.wording import ROLES, label_of

OPEN = gettext_lazy("any rollback that no rule above catches")


@dataclass(frozen=True)
class RuleInWords:
    """One rule as a person reads it: what it catches, who signs, and under which conditions."""

    name: str
    catches: tuple[str, ...]
    signs: tuple[str, ...]
    conditions: tuple[str, ...]
    emergency: bool
    hit: bool = False


@dataclass(frozen=True)
class Trial:
    """What the tester found: the rule's name, who has to sign, and by role who could."""

    rule: str
    signs: tuple[str, ...]
    holders: tuple[tuple[str, tuple[str, ...]], ...]
    caught: bool


@dataclass(frozen=True)
class PolicyPage:
    """The page's reading."""

    version: str
    sha256: str
    rules: tuple[RuleInWords, ...]
    freezes: tuple[Freeze, ...]
    owners: tuple[tuple[str, str], ...]
    review_hours: int
    review_roles: tuple[str, ...]
    trial: Trial | None


def policy_page(traits: Traits | None) -> PolicyPage:
    """Return the rule book in force in words; with traits also which rule catches them and who could sign."""
    book, now = rulebook(), database_time()
    hit = next((rule for rule in book.rules if traits is not None and rule.fits(traits)), None)
    return PolicyPage(
        version=book.version,
        sha256=book.sha256,
        rules=tuple(_rule(rule, hit=rule is hit) for rule in book.rules),
        freezes=tuple(sorted((each for each in book.freezes if each.ends > now), key=lambda each: each.begins)),
        owners=tuple(book.owners.items()),
        review_hours=book.break_glass.review_hours,
        review_roles=book.break_glass.review_roles,
        trial=None if traits is None else _trial(book.policy_for(traits), hit),
    )


def signs_in_words(policy: Policy) -> tuple[str, ...]:
    """Return who has to sign, one line for each need."""
    return tuple(_need(need) for need in policy.needs)


def conditions_in_words(policy: Policy) -> tuple[str, ...]:
    """Return what else the policy asks for: how long votes and the request hold, factor, windows."""
    found = []
    if policy.votes_expire_hours:
        found.append(_("A signature holds for %(hours)s hours.") % {"hours": policy.votes_expire_hours})
    if policy.request_expires_hours:
        found.append(
            _("What is not started within %(hours)s hours has to be submitted again.")
            % {"hours": policy.request_expires_hours}
        )
    if policy.passkey:
        found.append(_("Signatures are given with a passkey."))
    found += [_("It may run %(window)s.") % {"window": window.in_words()} for window in policy.windows]
    return tuple(found)


def _trial(policy: Policy, hit: Rule | None) -> Trial:
    holders = holders_of(sorted(policy.roles & ROLES.keys()))
    named = tuple((role, tuple(names)) for role, names in holders.items())
    return Trial(policy.rule, signs_in_words(policy), named, hit is not None)


def _rule(rule: Rule, *, hit: bool) -> RuleInWords:
    catches = tuple(_condition(key, value) for key, value in rule.when.items())
    return RuleInWords(
        name=rule.name,
        catches=catches or (str(OPEN),),
        signs=signs_in_words(rule.policy),
        conditions=conditions_in_words(rule.policy),
        emergency=rule.policy.emergency,
        hit=hit,
    )


def _condition(key: str, value: Any) -> str:
    switches = {
        ("security", True): _("it touches a security control"),
        ("security", False): _("it touches no security control"),
        ("data_loss", True): _("rows or values would be lost that no archive keeps"),
        ("data_loss", False): _("no row or value would be lost"),
        ("emergency", True): _("the glass is broken (emergency)"),
        ("emergency", False): _("it is no emergency"),
        ("non_transactional", True): _("statements run outside the transaction"),
        ("non_transactional", False): _("everything runs in one transaction"),
    }
    if isinstance(value, bool):
        return switches[key, value]
    lists = {
        "environment": _("the environment is %(values)s"),
        "target": _("the target is %(values)s"),
        "risk": _("the risk is %(values)s"),
        "tables": _("it names a table like %(values)s"),
        "owners": _("a file belongs to %(values)s"),
    }
    return lists[key] % {"values": _either(value)}


def _need(need: Need) -> str:
    roles = _either([label_of(ROLES, role) for role in need.roles])
    people = ngettext("one person", "%(count)s people", need.count) % {"count": need.count}
    return _("%(people)s of %(roles)s") % {"people": people, "roles": roles}


def _either(words: Iterable[str]) -> str:
    listed: Sequence[str] = list(words)
    if len(listed) < 2:
        return "".join(listed)
    return _("%(first)s or %(last)s") % {"first": ", ".join(listed[:-1]), "last": listed[-1]}
