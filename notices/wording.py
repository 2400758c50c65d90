"""The words of notices: what is asked of the reader, what the risk is, what happens then. Frozen when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.roles import ROLES
from approvals.standing import name_of
from notices import recovery_wording as recovering
from notices.causes import Cause, expires_at
from notices.content import Content, one_line
from portal.templatetags.units import duration_range_words

RISKS = 8
IMPACTS = 2


def asked_to_sign(cause: Cause) -> Content:
    """Ask for a signature on a plan, or on the acceptance of a follow-up."""
    if cause.follow_up is not None:
        return _asked_to_accept(cause)
    if cause.recovery is not None:
        return recovering.asked_to_sign(cause)
    security = _(" (touches security controls)") if cause.plan.get("impacts") else ""
    return Content(
        title=one_line(_("Please sign %(what)s%(security)s") % {"what": _what(cause), "security": security}),
        ask=_("Read the plan and approve or reject it. It waits for: %(roles)s.") % {"roles": _roles(cause.missing)},
        effect=_effect(cause.plan),
        risks=_risks(cause),
        lines=_plan_lines(cause),
        digest=_digest(cause),
        path=_path("request-sign", cause),
        action=_("Read and sign"),
    )


def _effect(plan: Mapping[str, Any]) -> str:
    if plan.get("options", {}).get("migrate"):
        return _applied_by_command()
    if plan.get("lane"):
        return _(
            "If you approve and all signatures are there, an engineer may start it: the worker takes a backup, rehearses "
            "on the restored copy, and then changes the target: in one transaction, and outside of it by statements that "
            "run one by one and are not atomic. A rejection sends it back."
        )
    return _(
        "If you approve and all signatures are there, an engineer may start it: the worker takes a backup, rehearses "
        "on the restored copy, and then changes the target in one transaction. A rejection sends it back."
    )


def _applied_by_command() -> str:
    return _(
        "If you approve and all signatures are there, an engineer may start it: the worker takes a backup, rehearses on the "
        "restored copy, and then has the project's own command change the target, which promises less: the page says what. "
        "A rejection sends it back."
    )


def _asked_to_accept(cause: Cause) -> Content:
    statement: dict[str, Any] = (cause.follow_up.acceptance if cause.follow_up else None) or {}
    return Content(
        title=one_line(_("Please sign or reject: %(what)s stays removed") % {"what": _what(cause)}),
        ask=_("Read why it may stay away, and approve or reject that. It waits for: %(roles)s.")
        % {"roles": _roles(cause.missing)},
        effect=_("If security and the CTO approve, the follow-up is closed and nobody is reminded any more. A rejection keeps it open."),
        risks=(_("Audit rows can be changed and deleted as long as it is away."),),
        lines=((_("Reason given"), one_line(statement.get("justification", ""), 600)), *_removed_lines(cause)),
        digest=_digest(cause),
        path=_path("request-sign", cause),
        action=_("Read and sign"),
    )  # fmt: skip


def immutability_removed(cause: Cause) -> Content:
    """Tell security and the CTO that audit rows can be changed, and how that ends."""
    return Content(
        title=one_line(_("Audit immutability was removed: %(what)s") % {"what": _what(cause)}),
        ask=_("See that the protection comes back, or that its absence is accepted under signatures."),
        effect=_("The follow-up closes by itself once a worker finds the protection on the target again."),
        risks=(_("Audit rows can be changed and deleted as long as it is away."),),
        lines=_removed_lines(cause),
        path=_path("request", cause),
        action=_("Open the follow-up"),
    )


def _removed_lines(cause: Cause) -> tuple[tuple[str, str], ...]:
    removed = cause.follow_up.removed if cause.follow_up else ()
    return tuple((_("Removed"), one_line(f"{each['kind']} {each['name']}")) for each in removed[:RISKS])


def about_to_expire(cause: Cause) -> Content:
    """Remind of a signature that is still missing."""
    end = (expires_at(cause.case) if cause.case else None) or cause.at
    asked = asked_to_sign(cause)
    ask = _("Signatures on this plan expire at %(end)s. It still waits for: %(roles)s.") % {
        "end": _moment(end), "roles": _roles(cause.missing)
    }  # fmt: skip
    title = _("Expires %(end)s: %(what)s") % {"end": _moment(end), "what": _what(cause)}
    return Content(**{**asked.__dict__, "title": one_line(title), "ask": ask})


def voted(cause: Cause) -> Content:
    """Tell the author that somebody voted."""
    said = {"who": _actor(cause), "what": _what(cause), "role": _roles([str(cause.detail.get("role", ""))])}
    if cause.detail.get("choice") == "reject":
        title = _("%(who)s rejected %(what)s") % said
        ask = _("Read the reason, then edit the request or give it up: %(reason)s") % {
            "reason": one_line(cause.detail.get("reason", ""), 400)
        }
    else:
        title = _("%(who)s approved %(what)s as %(role)s") % said
        waits = _roles(cause.missing)
        ask = _("It still waits for: %(roles)s.") % {"roles": waits} if waits else _("It can be started now.")
    return _about_request(cause, title, ask)


def voided(cause: Cause) -> Content:
    """Tell voters that their vote no longer counts."""
    reason = one_line(cause.detail.get("reason", ""), 400)
    title = _("Your signature no longer counts: %(what)s") % {"what": _what(cause)}
    ask = _("Your signature no longer counts because: %(reason)s If it is submitted again you are asked again.") % {
        "reason": reason if reason.endswith((".", "!", "?")) else f"{reason}."
    }
    return _about_request(cause, title, ask)


def running(cause: Cause) -> Content:
    """Tell that it runs."""
    title = _("Running: %(what)s") % {"what": _what(cause)}
    return _about_run(cause, title, _("Nothing is asked of you; the run page shows each step."))


def succeeded(cause: Cause) -> Content:
    """Tell that it is done."""
    title = _("Rolled back: %(what)s") % {"what": _what(cause)}
    ask = _("Nothing is asked of you. The catalog was verified and the change record is sealed.")
    return _about_run(cause, title, ask)


def failed(cause: Cause) -> Content:
    """Tell that it failed, and that nothing was changed or what stays."""
    if cause.detail.get("outside"):
        title = _("Failed, part of it stays: %(what)s") % {"what": _what(cause)}
    else:
        title = _("Failed, nothing was changed: %(what)s") % {"what": _what(cause)}
    said = one_line(cause.detail.get("sentence", ""), 600)
    return _about_run(cause, title, _("Read why, then edit it, start it again or give it up. %(why)s") % {"why": said})


def needs_attention(cause: Cause) -> Content:
    """Call a person: nobody can tell from here what is on the target."""
    title = _("NEEDS ATTENTION: %(what)s") % {"what": _what(cause)}
    said = one_line(cause.detail.get("sentence", ""), 600)
    ask = _("Look at the target now, then let the portal look again. %(why)s") % {"why": said}
    effect = _(
        "The portal observes what is there and goes on from it. Until somebody does, nothing else runs on this target."
    )
    return _about_run(cause, title, ask, effect=effect)


def still_frozen(cause: Cause) -> Content:
    """Call a person: a deploy freeze could not be released."""
    title = _("Deployments may still be FROZEN: %(what)s") % {"what": _what(cause)}
    said = one_line(cause.detail.get("sentence", ""), 600)
    ask = _("Release the freeze where deployments are made, or mend its address. %(why)s") % {"why": said}
    effect = _("The portal goes on trying to release it, at growing distances.")
    return _about_run(cause, title, ask, effect=effect)


def on_call_asked(cause: Cause) -> Content:
    """Tell on-call that a rollback is being prepared."""
    title = _("On-call: %(what)s is being prepared") % {"what": _what(cause)}
    ask = _("Know that a rollback is being prepared, and be reachable. %(who)s asked the portal to tell you.") % {
        "who": _actor(cause)
    }
    return _about_request(cause, title, ask)


recovered, recovery_closed, recovery_stopped = recovering.restored, recovering.closed, recovering.stopped


def break_glass(cause: Cause) -> Content:
    """Alert everybody that the emergency path was used."""
    title = _("BREAK-GLASS by %(who)s: %(what)s") % {"who": _actor(cause), "what": _what(cause)}
    ask = _("The emergency path was used. Read what was done and say at once if it should not be.")
    return _about_request(cause, title, ask)


def review_due(cause: Cause) -> Content:
    """Ask for the retrospective review of an emergency."""
    title = _("Review is due: %(what)s") % {"what": _what(cause)}
    ask = _("Review what was done through the emergency path and write down the result.")
    return _about_request(
        cause, title, ask, effect=_("Until it is done, its owner cannot use the emergency path again.")
    )


def review_overdue(cause: Cause) -> Content:
    """Escalate a review that is late."""
    title = _("Review is OVERDUE: %(what)s") % {"what": _what(cause)}
    ask = _("The review of an emergency was not done in time. See that its owner does it now.")
    return _about_request(cause, title, ask)


def _about_request(cause: Cause, title: str, ask: str, *, effect: str = "") -> Content:
    return Content(
        title=one_line(title), ask=ask, effect=effect, lines=(*_detail_lines(cause.detail), *_plan_lines(cause)),
        digest=_digest(cause), path=_path("request", cause), action=_("Open the request"),
    )  # fmt: skip


def _about_run(cause: Cause, title: str, ask: str, *, effect: str = "") -> Content:
    return Content(
        title=one_line(title), ask=ask, effect=effect, lines=_plan_lines(cause), digest=_digest(cause),
        path=_path("run", cause), action=_("Open the run page"),
    )  # fmt: skip


def _what(cause: Cause) -> str:
    request = cause.request
    if cause.follow_up is not None:
        said = {"pk": cause.follow_up.pk, "target": one_line(cause.follow_up.target.title, 60)}
        return _("follow-up %(pk)s, audit immutability of %(target)s") % said
    if cause.recovery is not None:
        return recovering.what(cause.recovery)
    if request is None:
        return cause.subject
    back = request.return_to or _("the empty database")
    return _("%(request)s, %(target)s back to %(back)s") % {
        "request": request, "target": one_line(request.target.title, 60), "back": one_line(back, 60)
    }  # fmt: skip


def _plan_lines(cause: Cause) -> tuple[tuple[str, str], ...]:
    request, plan = cause.request, cause.plan
    if cause.recovery is not None:
        return recovering.lines(cause.recovery)
    if request is None:
        return ()
    lines = [
        (_("Target"), f"{request.target.title} ({request.target.environment})"),
        (_("Back to"), request.return_to or _("the empty database")),
        (_("Filed by"), name_of(request.author)),
    ]
    if plan:
        lines.insert(2, (_("Undone"), ", ".join(each["tag"] for each in plan["undo"])))
        lines.append((_("Reason"), one_line(plan["reason"], 600)))
    if plan.get("production_incident"):
        lines.append((_("Production incident"), one_line(plan.get("incident_reference", ""))))
    return tuple(lines)


def _detail_lines(detail: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Facts of the emergency path carry these beside what every fact has."""
    names = {"incident": _("Incident"), "due": _("Due"), "reason": _("Reason given")}
    return tuple(
        (label, one_line(detail[name], 600)) for name, label in names.items() if isinstance(detail.get(name), str)
    )


def _risks(cause: Cause) -> tuple[str, ...]:
    plan, proof = cause.plan, cause.proof
    impacts = plan.get("impacts", ())
    found = [_("Security: %(impact)s") % {"impact": impact} for impact in impacts[:IMPACTS]]
    if len(impacts) > IMPACTS:
        found.append(_("Security: %(more)s more on the page.") % {"more": len(impacts) - IMPACTS})
    found += [str(stake["sentence"]) for _tag, _line, stake in proof.stakes if stake.get("sentence")]
    if proof.live.get("unread"):
        found.append(_("What is at stake could not be counted: %(why)s") % {"why": proof.live["unread"]})
    elif plan and not proof.stakes:
        found.append(_("No row or value of the target is lost."))
    found += [
        _("The target has what no migration made: %(what)s") % {"what": each} for each in proof.live.get("drift", ())
    ]
    if len(found) > RISKS:
        more = len(found) - RISKS + 1
        found = [*found[: RISKS - 1], _("… and %(more)s more on the page.") % {"more": more}]
    if proof.lines:
        held = duration_range_words(proof.least, proof.most)
        found.append(_("Others wait for its locks: %(time)s.") % {"time": held})
    return tuple(one_line(each, 400) for each in found)


def _digest(cause: Cause) -> str:
    return cause.case.digest if cause.case else str(cause.detail.get("digest", ""))


def _path(name: str, cause: Cause) -> str:
    if cause.follow_up is not None:
        page = "follow-up-sign" if name == "request-sign" else "follow-up"
        return reverse(page, kwargs={"pk": cause.follow_up.pk})
    if cause.recovery is not None:
        return recovering.path(cause.recovery, sign=name == "request-sign")
    return reverse(name, kwargs={"pk": cause.request.pk}) if cause.request else reverse("home")


def _roles(roles: Any) -> str:
    return ", ".join(str(ROLES.get(role, role)) for role in roles)


def _actor(cause: Cause) -> str:
    if cause.actor is None:
        return _("The portal")
    return name_of(cause.actor)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
