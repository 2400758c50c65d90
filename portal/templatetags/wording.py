"""What states, steps, roles and facts are called on the pages, and which colour and icon go with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.templatetags.units import size_words

Text = str | Promise


class Look(NamedTuple):
    """How a state is shown: its words, one of the five tones of the style sheet, and an icon."""

    label: Text
    tone: str  # neutral, info, good, warn or bad
    icon: str


STATES: dict[str, Look] = {
    # Requests
    "draft": Look(gettext_lazy("Draft"), "neutral", "edit"),
    "in_review": Look(gettext_lazy("In review"), "info", "signature"),
    "executing": Look(gettext_lazy("Executing"), "info", "player-play"),
    "succeeded": Look(gettext_lazy("Rolled back"), "good", "circle-check"),
    "failed": Look(gettext_lazy("Failed"), "bad", "circle-x"),
    "needs_attention": Look(gettext_lazy("Needs attention"), "warn", "alert-triangle"),
    "withdrawn": Look(gettext_lazy("Withdrawn"), "neutral", "ban"),
    "rejected": Look(gettext_lazy("Rejected"), "bad", "x"),
    # Step runs
    "pending": Look(gettext_lazy("Not started"), "neutral", "circle-dashed"),
    "running": Look(gettext_lazy("Running"), "info", "player-play"),
    "done": Look(gettext_lazy("Done"), "good", "check"),
    "uncertain": Look(gettext_lazy("Uncertain"), "warn", "alert-triangle"),
    # Decisions and votes
    "waiting": Look(gettext_lazy("Waiting"), "neutral", "hourglass"),
    "approved": Look(gettext_lazy("Approved"), "good", "signature"),
    "approve": Look(gettext_lazy("Approved"), "good", "signature"),
    "reject": Look(gettext_lazy("Rejected"), "bad", "x"),
    "abstain": Look(gettext_lazy("Abstained"), "neutral", "ban"),
    "expired": Look(gettext_lazy("Expired"), "warn", "hourglass"),
    # Reviews of emergencies
    "owed": Look(gettext_lazy("Review owed"), "warn", "hourglass"),
    "overdue": Look(gettext_lazy("Review overdue"), "bad", "alert-octagon"),
    "justified": Look(gettext_lazy("Justified"), "good", "circle-check"),
    "unjustified": Look(gettext_lazy("Not justified"), "bad", "circle-x"),
    # Follow-ups
    "unprotected": Look(gettext_lazy("Not protected"), "bad", "shield-lock"),
    "restored": Look(gettext_lazy("Restored"), "good", "circle-check"),
    "accepted": Look(gettext_lazy("Absence accepted"), "neutral", "signature"),
    # Recoveries
    "restoring": Look(gettext_lazy("Restoring"), "info", "player-play"),
    "cutover": Look(gettext_lazy("Ready for the cutover"), "info", "database"),
    "closing": Look(gettext_lazy("Being documented"), "info", "file-text"),
    "closed": Look(gettext_lazy("Closed"), "neutral", "check"),
    "cut_over": Look(gettext_lazy("Cut over"), "good", "circle-check"),
    "given_up": Look(gettext_lazy("Given up"), "neutral", "ban"),
    # Kept backups and files beside them
    "kept": Look(gettext_lazy("Kept"), "good", "circle-check"),
    "on_hold": Look(gettext_lazy("Held"), "info", "lock"),
    "unproven_backup": Look(gettext_lazy("Not restored yet"), "neutral", "hourglass"),
    "bad_backup": Look(gettext_lazy("Not to be relied on"), "bad", "circle-x"),
    "removing": Look(gettext_lazy("Being removed"), "warn", "hourglass"),
    "removed": Look(gettext_lazy("Removed"), "neutral", "ban"),
    "partial": Look(gettext_lazy("Never completed"), "warn", "hourglass"),
    "leftover": Look(gettext_lazy("Left over"), "warn", "hourglass"),
    "unknown": Look(gettext_lazy("Of a run that the portal does not know"), "bad", "alert-triangle"),
    "foreign": Look(gettext_lazy("Not the portal's"), "neutral", "circle-dashed"),
    # Proofs
    "unasked": Look(gettext_lazy("Not proven yet"), "neutral", "circle-dashed"),
    "proving": Look(gettext_lazy("Being proven"), "info", "player-play"),
    "proven": Look(gettext_lazy("Proven"), "good", "circle-check"),
    "disproven": Look(gettext_lazy("Disproven"), "bad", "circle-x"),
    "untried": Look(gettext_lazy("Could not be proven"), "bad", "alert-triangle"),
    # Grants of roles
    "proposed": Look(gettext_lazy("Waits for a second administrator"), "warn", "hourglass"),
    "held": Look(gettext_lazy("Held"), "good", "circle-check"),
    "refused": Look(gettext_lazy("Refused"), "neutral", "x"),
    "ended": Look(gettext_lazy("Ended"), "neutral", "ban"),
    "in_force": Look(gettext_lazy("In force"), "good", "circle-check"),
    "planned": Look(gettext_lazy("Not begun"), "neutral", "clock"),
    "switched_off": Look(gettext_lazy("Switched off"), "bad", "ban"),
    "password_withdrawn": Look(gettext_lazy("Password withdrawn"), "warn", "lock"),
    "sessions_ended": Look(gettext_lazy("Sessions ended"), "warn", "logout"),
    # Deliveries of notices
    "sending": Look(gettext_lazy("Being sent"), "info", "send"),
    "sent": Look(gettext_lazy("Sent"), "good", "check"),
    "dead": Look(gettext_lazy("Given up"), "bad", "circle-x"),
    # Readings of a target and of the trail
    "holds": Look(gettext_lazy("Holds"), "good", "circle-check"),
    "broken": Look(gettext_lazy("Broken"), "bad", "alert-octagon"),
    "matches": Look(gettext_lazy("Matches"), "good", "check"),
    "differs": Look(gettext_lazy("Differs"), "bad", "x"),
    "applied": Look(gettext_lazy("Applied"), "good", "check"),
    "not_applied": Look(gettext_lazy("Not applied"), "neutral", "circle-dashed"),
    "undo": Look(gettext_lazy("Will be undone"), "warn", "arrow-back-up"),
    "security": Look(gettext_lazy("Security-impacting"), "warn", "shield-lock"),
    "break_glass": Look(gettext_lazy("Break-glass"), "warn", "alert-octagon"),
}

STEPS: dict[str, tuple[Text, Text]] = {
    "preflight": (gettext_lazy("Preflight"), gettext_lazy("Everything that was signed is checked once more.")),
    "backup": (gettext_lazy("Backup"), gettext_lazy("Dumped, restored on the scratch server and counted.")),
    "rehearse": (gettext_lazy("Rehearse"), gettext_lazy("The reverse SQL runs on the restored copy.")),
    "stage": (gettext_lazy("Stage"), gettext_lazy("SQL, journal entry and snapshot are written to a branch.")),
    "lane_before": (
        gettext_lazy("Outside, before"),
        gettext_lazy("Statements outside the transaction run one by one before it; they are not atomic."),
    ),
    "apply": (gettext_lazy("Apply"), gettext_lazy("One transaction on the target, compared before it commits.")),
    "lane_after": (
        gettext_lazy("Outside, after"),
        gettext_lazy("Statements outside the transaction run one by one after it; they are not atomic."),
    ),
    "verify": (gettext_lazy("Verify"), gettext_lazy("Ledger and catalog are read again from the target.")),
    "publish": (gettext_lazy("Publish"), gettext_lazy("The branch is pushed.")),
    "record": (gettext_lazy("Record"), gettext_lazy("The change record is sealed.")),
    # Of recoveries
    "check": (gettext_lazy("Check"), gettext_lazy("What was signed once more, and that the new server is no target.")),
    "restore": (
        gettext_lazy("Restore"),
        gettext_lazy("The provider makes a new server; what exists is not written to."),
    ),
    "inspect": (gettext_lazy("Inspect"), gettext_lazy("Catalog, ledger and rows of the new server are compared.")),
    "document": (
        gettext_lazy("Document"),
        gettext_lazy("After the cutover: the record is sealed and filed in ops/disaster-recovery/."),
    ),
}

APPLY_BY_COMMAND = gettext_lazy(
    "The project's own command runs on the rollback's branch; ledger and catalog are compared after it has ended."
)

ROLES: dict[str, Text] = {
    "engineer": gettext_lazy("Engineer"),
    "platform": gettext_lazy("Platform"),
    "security": gettext_lazy("Security"),
    "cto": gettext_lazy("CTO"),
    "on-call": gettext_lazy("On-call"),
    "auditor": gettext_lazy("Auditor"),
    "administrator": gettext_lazy("Administrator"),
    # Anybody who holds a role and had no part in the request.
    "witness": gettext_lazy("Witness"),
    # Not a role: what an approved request waits for.
    "start": gettext_lazy("Start"),
    # Nor this: what an expired one waits for.
    "submission": gettext_lazy("Submission anew"),
}

ACTIONS: dict[str, Text] = {
    "request.opened": gettext_lazy("opened the request"),
    "request.revised": gettext_lazy("saved revision %(revision)s"),
    "request.moved": gettext_lazy("moved the request from “%(before)s” to “%(after)s”"),
    "request.proven": gettext_lazy("proved the reverse SQL"),
    "request.disproven": gettext_lazy("showed that the reverse SQL does not lead back"),
    "request.unproven": gettext_lazy("could not prove the reverse SQL: %(sentence)s"),
    "checklist.answered": gettext_lazy("answered the checklist item “%(item)s”"),
    "case.opened": gettext_lazy("asked for signatures"),
    "case.closed": gettext_lazy("closed the case: %(reason)s"),
    "vote.cast:approve": gettext_lazy("approved as %(role)s"),
    "vote.cast:reject": gettext_lazy("rejected as %(role)s: %(reason)s"),
    "vote.cast:abstain": gettext_lazy("abstained as %(role)s"),
    "vote.taken_back": gettext_lazy("took back the vote as %(role)s: %(reason)s"),
    "comment.made": gettext_lazy("commented: %(text)s"),
    "break_glass.used": gettext_lazy("broke the glass: %(reason)s"),
    "follow_up.opened": gettext_lazy("removed audit immutability, which is to be restored or accepted"),
    "follow_up.restored": gettext_lazy("found audit immutability restored"),
    "follow_up.acceptance_proposed": gettext_lazy("proposed to accept its absence: %(justification)s"),
    "follow_up.accepted": gettext_lazy("closed the follow-up: its absence is accepted"),
    "recovery.opened": gettext_lazy("opened the recovery because of %(incident)s"),
    "recovery.chosen": gettext_lazy("chose the moment and the new server %(server)s"),
    "recovery.submitted": gettext_lazy("submitted the recovery to %(server)s"),
    "recovery.moved": gettext_lazy("moved the recovery from “%(before)s” to “%(after)s”"),
    "recovery.answered": gettext_lazy("gave evidence for “%(item)s”: %(text)s"),
    "recovery.downtime": gettext_lazy("planned the downtime from %(start)s to %(end)s"),
    "review.owed": gettext_lazy("opened the review of the emergency"),
    "review.taken_on": gettext_lazy("took on the review of the emergency"),
    "review.done": gettext_lazy("reviewed the emergency: %(finding)s"),
    "review.overdue": gettext_lazy("found the review of the emergency overdue"),
    "vote.refused": gettext_lazy("tried to vote as %(role)s and was refused"),
    "security_incident.logged": gettext_lazy("logged the security incident %(reference)s"),
    "step.started": gettext_lazy("started the step “%(step)s”, attempt %(attempt)s"),
    "step.done": gettext_lazy("finished the step “%(step)s”"),
    "step.failed": gettext_lazy("stopped at the step “%(step)s”"),
    "step.interrupted": gettext_lazy("was interrupted in the step “%(step)s”"),
    "step.uncertain": gettext_lazy("could not tell how the step “%(step)s” ended"),
    "execution.cancel_asked": gettext_lazy("asked the run to stop: %(reason)s"),
    "record.sealed": gettext_lazy("sealed the change record"),
    "lane.begun": gettext_lazy("began statement %(number)s outside the transaction"),
    "lane.done": gettext_lazy("saw statement %(number)s outside the transaction done"),
    "lane.undone": gettext_lazy("took back what statement %(number)s outside the transaction had begun"),
    "patch.kept": gettext_lazy("kept the branch as a patch"),
    "flags.asked": gettext_lazy("asked a worker to check the feature flags"),
    "flags.seen": gettext_lazy("looked at the feature flags"),
    "deploy_freeze.released": gettext_lazy("released the deploy freeze"),
    "deploy_freeze.not_released": gettext_lazy("could not release the deploy freeze"),
    "backup.kept": gettext_lazy("kept the backup %(name)s"),
    "backup.found": gettext_lazy("found the backup %(name)s in the store and noted it"),
    "backup.restored": gettext_lazy("restored the backup %(name)s and counted its rows"),
    "backup.refused": gettext_lazy("found that the backup %(name)s cannot be relied on"),
    "backup.hold_placed": gettext_lazy("held the backup: %(reason)s"),
    "backup.hold_lifted": gettext_lazy("lifted a hold of the backup: %(reason)s"),
    "backup.removal_begun": gettext_lazy("began to remove the backup %(name)s: %(reason)s"),
    "backup.removed": gettext_lazy("removed the backup %(name)s from the store"),
    "stray_file.found": gettext_lazy("found %(name)s in the store of backups, which belongs to none"),
    "stray_file.gone": gettext_lazy("no longer found %(name)s in the store of backups"),
    "stray_file.removed": gettext_lazy("removed %(name)s, which belonged to no backup"),
    "target.registered": gettext_lazy("registered the target"),
    "target.retired": gettext_lazy("retired the target %(name)s"),
    "inventory.changed": gettext_lazy("read something new of the target"),
    "person.added": gettext_lazy("added the person %(username)s"),
    "person.roles_set": gettext_lazy("set the roles of a person"),
    "person.role_proposed": gettext_lazy("proposed the role %(role)s: %(reason)s"),
    "person.role_granted": gettext_lazy("granted the role %(role)s"),
    "person.role_refused": gettext_lazy("refused the role %(role)s"),
    "person.role_ended": gettext_lazy("ended the role %(role)s"),
    "person.switched_off": gettext_lazy("switched the account off: %(reason)s"),
    "person.switched_on": gettext_lazy("switched the account on again: %(reason)s"),
    "person.password_withdrawn": gettext_lazy("withdrew the password: %(reason)s"),
    "person.sessions_ended": gettext_lazy("ended %(sessions)s sessions of a person"),
    "delegation.proposed": gettext_lazy("proposed to delegate the role %(role)s until %(ends_at)s"),
    "delegation.made": gettext_lazy("delegated the role %(role)s until %(ends_at)s"),
    "delegation.ended": gettext_lazy("ended the delegation of the role %(role)s"),
    "service_account.added": gettext_lazy("added the service account %(username)s"),
    "token.made": gettext_lazy("made the API token %(prefix)s"),
    "token.revoked": gettext_lazy("revoked the API token %(prefix)s"),
    "fields.refused": gettext_lazy("sent fields that only the portal decides"),
    # As it was called before pages looked for them too.
    "api.refused_fields": gettext_lazy("sent fields over the API that only the portal decides"),
    "on_call.asked": gettext_lazy("asked the portal to notify on-call"),
    "on_call.notified": gettext_lazy("notified on-call, delivery %(delivery)s"),
    "notice.undelivered": gettext_lazy("could not deliver “%(title)s” to %(recipient)s"),
    "notice.sent_again": gettext_lazy("had “%(title)s” sent again"),
    "preferences.set": gettext_lazy("chose which notices to get by e-mail"),
    "person.identity_linked": gettext_lazy("linked an identity of %(provider)s to a person"),
    "person.factor_added": gettext_lazy("added a second factor (%(kind)s)"),
    "person.factors_reset": gettext_lazy("took away all second factors of a person, whose device was lost"),
    "person.factor_removed": gettext_lazy("removed a second factor (%(kind)s)"),
    "person.password_changed": gettext_lazy("changed their password"),
}

# Facts whose tone differs from the ordinary grey dot of the timeline.
FACT_TONES = {
    "step.failed": "bad",
    "step.uncertain": "warn",
    "step.interrupted": "warn",
    "execution.cancel_asked": "warn",
    "security_incident.logged": "warn",
    "vote.taken_back": "warn",
    "break_glass.used": "warn",
    "review.overdue": "bad",
    "follow_up.opened": "bad",
    "follow_up.restored": "good",
    "vote.refused": "warn",
    "person.factor_removed": "warn",
    "record.sealed": "good",
    "request.proven": "good",
    "request.disproven": "bad",
    "notice.undelivered": "bad",
    "deploy_freeze.not_released": "bad",
    "request.unproven": "warn",
    "backup.refused": "bad",
    "backup.restored": "good",
    "backup.hold_lifted": "warn",
    "stray_file.found": "warn",
    "step.done": "good",
    "lane.begun": "info",
    "lane.done": "good",
    "lane.undone": "warn",
}


def look_of(state: str) -> Look:
    """Return how the state is shown; one without an entry is shown by its own name, in grey."""
    return STATES.get(state) or Look(state.replace("_", " "), "neutral", "circle")


def label_of(words: Mapping[str, Text], key: str) -> str:
    """Return the word for a key, or the key itself, so that a new one is readable before it has a word."""
    return str(words.get(key, key.replace("_", " ")))


def progress_words(progress: Mapping[str, Any]) -> str:
    """Return what a running step is doing at this moment; empty when it has not said so."""
    return " ".join(each for each in (_doing(progress), *_in_the_way(progress)) if each)


def _in_the_way(progress: Mapping[str, Any]) -> list[str]:
    """Say whom the apply waits for on the target, and how many wait for it."""
    said = []
    if progress.get("waits_for"):
        sessions = ", ".join(progress["waits_for"])
        said.append(_("It waits for a lock of %(sessions)s.") % {"sessions": sessions})
    if progress.get("holds_up"):
        count = len(progress["holds_up"])
        said.append(
            ngettext("%(count)s session waits for it.", "%(count)s sessions wait for it.", count) % {"count": count}
        )
    return said


def _doing(progress: Mapping[str, Any]) -> str:
    if "statement" in progress:
        return _("Statement %(statement)s of %(of)s, line %(line)s.") % {"of": "?", "line": "?", **progress}
    if "locking" in progress:
        return _("Locking the ledger.")
    if "checking" in progress:
        return _("Comparing the catalog with the proven one.")
    if "try" in progress:
        return _("Everything was rolled back and is tried again (try %(try)s of %(of_tries)s). %(conflict)s") % progress
    if "outside" in progress:
        return _("Statement %(outside)s of %(of)s outside the transaction.") % progress
    if "commit" in progress:
        return _("COMMIT is sent; waiting for the answer.")
    if "command" in progress:
        return _("Running “%(command)s”") % progress
    if "bytes" in progress and progress.get("table"):
        said = {"of": "?", **progress, "size": size_words(progress["bytes"])}
        return _("%(size)s written, table %(table)s of %(of)s") % said
    if "bytes" in progress:
        return _("%(size)s written") % {"size": size_words(progress["bytes"])}
    if "doing" in progress:
        return str(progress["doing"])
    if "restoring" in progress:
        return _("Restoring %(restoring)s on the scratch server") % progress
    if "replaying" in progress:
        return _("Replaying migration %(replaying)s of %(of)s on the scratch server") % {"of": "?", **progress}
    return ""


def fact_sentence(action: str, detail: Mapping[str, Any]) -> str:
    """Return what happened, as the rest of a sentence that starts with the actor's name."""
    template = ACTIONS.get(f"{action}:{detail.get('choice')}") or ACTIONS.get(action)
    if template is None:
        return _("recorded %(action)s") % {"action": action}
    values = dict(detail)
    for name in ("before", "after"):
        if isinstance(values.get(name), str):
            values[name] = look_of(values[name]).label
    values["step"] = label_of({key: title for key, (title, _text) in STEPS.items()}, str(values.get("step", "")))
    values["role"] = label_of(ROLES, str(values.get("role", "")))
    values["item"] = str(values.get("item", "")).replace("_", " ")
    try:
        return str(template) % values
    except KeyError:
        return action


def fact_tone(action: str, detail: Mapping[str, Any]) -> str:
    """Return the tone of a fact's dot on the timeline."""
    if action == "vote.cast":
        return look_of(str(detail.get("choice"))).tone
    if action in {"request.moved", "recovery.moved"}:
        return look_of(str(detail.get("after"))).tone
    return FACT_TONES.get(action, "neutral")
