"""The words of notices about recoveries."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.roles import ROLES
from approvals.standing import name_of
from notices.causes import Cause
from notices.content import Content, one_line
from recoveries.kinds import KINDS
from recoveries.models import Recovery


def asked_to_sign(cause: Cause) -> Content:
    """Ask for a signature on a recovery."""
    missing = ", ".join(str(ROLES.get(role, role)) for role in cause.missing)
    return Content(
        title=one_line(_("Please sign %(what)s") % {"what": _what(cause)}),
        ask=_("Read what is restored to where, and approve or reject it. It waits for: %(roles)s.")
        % {"roles": missing},
        effect=_(
            "If you approve and all signatures are there, a worker restores to a new server. Production is not written to."
        ),
        risks=(_("After a cutover, what was committed since that moment is lost unless it is carried over."),),
        lines=lines(cause.recovery) if cause.recovery else (),
        digest=cause.case.digest if cause.case else "",
        path=path(cause.recovery, sign=True),
        action=_("Read and sign"),
    )


def restored(cause: Cause) -> Content:
    """Tell that the new server is there and was inspected."""
    return _about(
        cause, _("The new server is there: %(what)s"),
        _("Read what the inspection found, plan the downtime window, and give evidence for each item of the cutover."),
    )  # fmt: skip


def closed(cause: Cause) -> Content:
    """Tell that it is over and documented."""
    return _about(
        cause, _("Closed and documented: %(what)s"),
        _("Nothing is asked of you. Merge its branch with the entry in ops/disaster-recovery/."),
    )  # fmt: skip


def stopped(cause: Cause) -> Content:
    """Call a person: it stopped, and production was not written to."""
    said = one_line(cause.detail.get("sentence", ""), 600)
    return _about(
        cause, _("STOPPED: %(what)s"), _("Read why, then let it go on or give it up. %(why)s") % {"why": said}
    )


def what(recovery: Recovery) -> str:
    """Return what a recovery is called in a sentence."""
    said = {"name": recovery, "target": one_line(recovery.target.title, 60), "server": recovery.server}
    return _("%(name)s, %(target)s recovered to %(server)s") % said


def lines(recovery: Recovery) -> tuple[tuple[str, str], ...]:
    """Return what is recovered, as label and value."""
    source = recovery.backup or (f"{recovery.point:%Y-%m-%d %H:%M:%S} UTC" if recovery.point else "")
    return (
        (_("Target"), f"{recovery.target.title} ({recovery.target.environment})"),
        (_("As of"), source),
        (_("Restored by"), KINDS[recovery.provider].title),
        (_("New server"), recovery.server),
        (_("Incident"), one_line(recovery.incident)),
        (_("Opened by"), name_of(recovery.author)),
        (_("Reason"), one_line(recovery.purpose, 600)),
    )


def path(recovery: Recovery | None, *, sign: bool = False) -> str:
    """Return the address of its page, or of the page on which it is signed."""
    if recovery is None:
        return reverse("recoveries")
    return reverse("recovery-sign" if sign else "recovery", kwargs={"pk": recovery.pk})


def _about(cause: Cause, title: str, ask: str) -> Content:
    return Content(
        title=one_line(title % {"what": _what(cause)}), ask=ask, lines=lines(cause.recovery) if cause.recovery else (),
        digest=str(cause.detail.get("digest", "")), path=path(cause.recovery), action=_("Open the recovery"),
    )  # fmt: skip


def _what(cause: Cause) -> str:
    return what(cause.recovery) if cause.recovery else cause.subject
