"""Filing, reading and editing requests, and answering their checklist."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.services import database_time
from rollbacks import queries
from rollbacks.checklist import BY_KEY
from rollbacks.forms import AnswerForm, CommentForm, TakeBackForm, WithdrawForm, WordingForm
from rollbacks.models import Attachment, Request, Revision, Target
from rollbacks.proof_view import proof_view
from rollbacks.request_page import difference, request_page
from rollbacks.services import requests as service
from rollbacks.services.guarded import note_refused_fields
from rollbacks.services.moves import Refused
from rollbacks.services.proofs import ask, current_run
from rollbacks.services.reading import current_revision, lane_as_written, read_request
from rollbacks.services.running import frozen_now
from rollbacks.services.submission import submit as submit_request
from rollbacks.services.targets import newest_inventory
from rollbacks.views.doors import door, filers


@require_http_methods(["GET", "HEAD", "POST"])
@door
@filers
def new_request(request: HttpRequest, name: str) -> HttpResponse:
    """Choose the return point of a target; what has to be undone follows from it."""
    target = get_object_or_404(Target, name=name, retired_at__isnull=True)
    if request.method == "POST":
        return_to = request.POST.get("return_to", "")
        opened = service.open_request(
            request.user,
            target=target,
            return_to="" if return_to == "-" else return_to,
            wording=service.Wording(),
        )
        messages.success(request, _("Draft opened. Write the reverse SQL and the reason, then answer the checklist."))
        return redirect("request-edit", pk=opened.pk)
    inventory = newest_inventory(target.pk)
    content = inventory.content if inventory else None
    chosen = request.GET.get("return_to", "")
    tags = [migration["tag"] for migration in content["migrations"]] if content else []
    undone = tags[tags.index(chosen) + 1 :] if chosen in tags else (tags if chosen == "-" else [])
    context = {"target": target, "inventory": inventory, "content": content, "chosen": chosen, "undone": undone}
    return render(request, "rollbacks/new_request.html", context)


@require_safe
@door
def request_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The request page: what it is, what state it is in, what can be done now, what it waits for."""
    found = get_object_or_404(queries.with_record(Request.objects.select_related("target", "author")), pk=pk)
    context = {
        "page": request_page(found, request.user),
        "withdraw_form": WithdrawForm(),
        "comment_form": CommentForm(),
        "take_back_form": TakeBackForm(),
    }
    return render(request, "rollbacks/request.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door
@filers
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the wording and the reverse SQL beside the forward SQL; nothing typed is lost on a refusal."""
    found = _find(pk)
    revision = current_revision(found)
    inventory = newest_inventory(found.target_id)
    migrations = {each["tag"]: each for each in (inventory.content or {}).get("migrations", [])} if inventory else {}
    order = {tag: position for position, tag in enumerate(migrations)}
    tags = tuple(sorted(revision.reverse_sql, key=lambda tag: order.get(tag, 0), reverse=True))
    refused: tuple[str, ...] = ()
    form = WordingForm(request.POST or None, revision=revision, tags=tags)
    note_refused_fields(
        request.user, fields=request.POST.keys() - form.fields.keys(), request_id=pk, operation="the edit page"
    )
    if request.method == "POST" and form.is_valid():
        try:
            saved = service.edit_request(
                request.user, pk, wording=form.wording, seen_revision=form.cleaned_data["revision"] or 0
            )
        except Refused as refusal:
            refused = refusal.sentences
        else:
            messages.success(request, _("Saved.") if saved else _("Nothing was changed."))
            return redirect("request", pk=pk)
    drafts = ((inventory.content or {}).get("drafts") or {}).get("by_tag", {}) if inventory else {}
    rows = [(tag, migrations.get(tag, {}), _draft(drafts.get(tag)), field) for tag, field in form.sql_fields()]
    context = {
        "rollback": found, "revision": revision, "form": form, "rows": rows, "refused": refused,
        "closed_now": frozen_now(found.target.environment, database_time()),
        "lane": lane_as_written([revision.reverse_sql[tag] for tag in tags]),
    }  # fmt: skip
    return render(request, "rollbacks/edit.html", context, status=409 if refused else 200)


# docs/cli.md has the same four; a letter alone tells nobody anything.
DRAFT_CLASSES = {
    "a": _lazy("Exact: nothing is lost, and what goes is kept in the archive."),
    "b": _lazy("The catalog comes back; rows written since may stop it, or values were cast."),
    "c": _lazy("What comes back is empty: its rows or values have to come from a backup."),
    "d": _lazy("There is no mechanical inverse: a person decides."),
}


def _draft(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if kept is None else {**kept, "says": DRAFT_CLASSES[kept["class"]]}


@require_http_methods(["GET", "HEAD", "POST"])
@door
@filers
def answer(request: HttpRequest, pk: int, item: str) -> HttpResponse:
    """Answer one checklist item with evidence."""
    found = _find(pk)
    line = BY_KEY.get(item)
    if line is None or line.by_worker:
        raise Refused(_("This item is answered by the worker that takes the backup, not by a person."))
    form = AnswerForm(request.POST or None, request.FILES or None)
    refused: tuple[str, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            service.answer(request.user, pk, item=item, **form.cleaned_data)
        except Refused as refusal:
            refused = refusal.sentences
        else:
            messages.success(request, _("Answer kept."))
            return redirect("request", pk=pk)
    context = {"rollback": found, "item": line, "form": form, "refused": refused}
    return render(request, "rollbacks/answer.html", context, status=409 if refused else 200)


@require_POST
@door
def prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a worker prove the newest revision's reverse SQL."""
    _find(pk)
    ask(request.user, pk)
    messages.success(request, _("Asked. A worker proves the reverse SQL on the scratch server; this page follows it."))
    return redirect("request", pk=pk)


@require_safe
@door
def proof_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The proof panel alone, which renews itself while a worker is at it; the whole page once that is over."""
    found = _find(pk)
    reading = read_request(found)
    view = proof_view(reading, current_run(reading), may_ask=queries.may_file(request.user))
    response = render(request, "rollbacks/_proof.html", {"rollback": found, "proof": view})
    if not view.working:
        # Blockers and the primary control stand elsewhere on the page and have changed with it.
        response["HX-Refresh"] = "true"
    return response


@require_POST
@door
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Submit the newest revision for signatures, or list what is missing."""
    _find(pk)
    submit_request(request.user, pk)
    messages.success(request, _("Submitted. The people who have to sign see it in their queue."))
    return redirect("request", pk=pk)


@require_POST
@door
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the request up."""
    _find(pk)
    form = WithdrawForm(request.POST)
    service.withdraw(request.user, pk, reason=form.cleaned_data["reason"] if form.is_valid() else "")
    messages.success(request, _("The request is withdrawn."))
    return redirect("request", pk=pk)


@require_safe
@door
def compare(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What a revision changed against the one before it."""
    after = get_object_or_404(Revision.objects.select_related("author", "request"), request_id=pk, number=number)
    before = Revision.objects.filter(request_id=pk, number=number - 1).first()
    changes = difference(before, after) if before else ""
    context = {"rollback": after.request, "after": after, "before": before, "difference": changes}
    return render(request, "rollbacks/compare.html", context)


@require_safe
@door
def attachment(request: HttpRequest, pk: int, attachment_pk: int) -> HttpResponse:
    """Download an evidence file; always as a download, never shown inline, whatever it claims to be."""
    return download(get_object_or_404(Attachment.objects.distinct(), pk=attachment_pk, answers__request_id=pk))


def download(file: Attachment) -> HttpResponse:
    """Return the file so that no browser shows it, under a name that means nothing to a shell or a header."""
    response = HttpResponse(bytes(file.content), content_type="application/octet-stream")
    name = "".join(sign for sign in file.name if sign.isascii() and (sign.isalnum() or sign in "._- ")) or "file"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _find(pk: int) -> Request:
    return get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)
