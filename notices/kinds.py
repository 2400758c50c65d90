"""The table of notices: which fact tells whom, with which words, and whether a person may switch it off."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notices import audiences as who
from notices import wording as words
from notices.audiences import Addressed, Audience
from notices.causes import Cause
from notices.content import Words

ON_CALL = "on_call"
EXPIRING = "case.expiring"


@dataclass(frozen=True)
class Kind:
    """One kind of notice as people choose it; an urgent one comes at once and cannot be switched off."""

    key: str
    label: str | Promise
    says: str | Promise
    urgent: bool = False


@dataclass(frozen=True)
class Rule:
    """What one action leads to. `team` says whether addresses for the whole team get it as well."""

    kind: str
    people: tuple[Audience, ...]
    words: Words
    addressed: Addressed = who.to_nobody
    team: bool = True
    # Who did it knows it; an alarm reaches them all the same.
    tells_actor: bool = False


KINDS = {
    kind.key: kind
    for kind in (
        Kind("sign", _("You are asked to sign"), _("A plan waits for a signature that you could give.")),
        Kind("expiring", _("A signature is about to expire"), _("24 hours and 2 hours before a plan expires that you could sign.")),
        Kind("vote", _("Somebody voted"), _("A vote on a request that you filed or edited.")),
        Kind("void", _("Your signature no longer counts"), _("The plan that you voted on was edited, rejected or withdrawn.")),
        Kind("run", _("It runs, or has ended"), _("A rollback that you filed or signed starts, succeeds or fails.")),
        Kind("attention", _("It needs attention"), _("Nobody can tell how a step ended: a person has to look."), urgent=True),
        Kind(ON_CALL, _("On-call is told"), _("A rollback is being prepared, and its checklist wants you to know."), urgent=True),
        Kind("follow_up", _("Audit immutability is missing"), _("A rollback removed what protects audit rows."), urgent=True),
        Kind("break_glass", _("Break-glass"), _("The emergency path was used, or its review is due."), urgent=True),
    )
}  # fmt: skip

# Keys are the action, or the action with the state that a request was moved to.
RULES = {
    "case.opened": Rule("sign", (who.could_sign,), words.asked_to_sign, who.to_missing_roles),
    EXPIRING: Rule("expiring", (who.could_sign,), words.about_to_expire, who.to_missing_roles, team=False),
    "vote.cast": Rule("vote", (who.touched,), words.voted, team=False),
    "case.closed": Rule("void", (who.voters,), words.voided, team=False),
    "request.moved:executing": Rule("run", (who.author, who.signers), words.running),
    "request.moved:succeeded": Rule("run", (who.author, who.signers), words.succeeded),
    "request.moved:failed": Rule("run", (who.author, who.signers), words.failed),
    "request.moved:needs_attention": Rule(
        "attention", (who.author, who.signers, who.on_call), words.needs_attention, who.to_on_call, tells_actor=True
    ),
    "deploy_freeze.not_released": Rule(
        "attention", (who.author, who.signers, who.on_call), words.still_frozen, who.to_on_call, tells_actor=True
    ),
    "recovery.moved:cutover": Rule("run", (who.author, who.signers), words.recovered),
    "recovery.moved:closed": Rule("run", (who.author, who.signers), words.recovery_closed),
    "recovery.moved:failed": Rule("run", (who.author, who.signers), words.recovery_stopped),
    "recovery.moved:needs_attention": Rule(
        "attention", (who.author, who.signers, who.on_call), words.recovery_stopped, who.to_on_call, tells_actor=True
    ),
    "on_call.asked": Rule(ON_CALL, (who.on_call,), words.on_call_asked, who.to_on_call, team=False, tells_actor=True),
    "follow_up.opened": Rule(
        "follow_up", (who.named_roles,), words.immutability_removed, who.to_named_roles, tells_actor=True
    ),
    "break_glass.used": Rule("break_glass", (who.everyone,), words.break_glass, who.to_every_role, tells_actor=True),
    "review.owed": Rule("break_glass", (who.named_roles,), words.review_due, team=False, tells_actor=True),
    "review.overdue": Rule(
        "break_glass", (who.named_roles, who.escalation), words.review_overdue, who.to_every_role, tells_actor=True
    ),
}
ACTIONS = frozenset(key.partition(":")[0] for key in RULES)


def rule_for(cause: Cause) -> Rule | None:
    """Return the rule that the cause falls under, or None when nobody is told of it."""
    return RULES.get(f"{cause.action}:{cause.detail.get('after')}") or RULES.get(cause.action)
