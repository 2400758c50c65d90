"""A person's API tokens: make one, see it once, revoke it; administrators see everybody's."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals import tokens as service
from approvals.roles import ADMINISTRATOR, may
from records.paging import key_in, page_of
from rollbacks.views.doors import door


class TokenForm(forms.Form):
    """What a token is for, whose it is, what it may do, and for how many days."""

    name = forms.CharField(
        label=_lazy("What is it for?"),
        help_text=_lazy("The program or machine that will use it, so that you know later which one to revoke."),
        max_length=100,
    )
    owner = forms.ModelChoiceField(
        label=_lazy("For"),
        queryset=get_user_model()._default_manager.none(),
        empty_label=_lazy("myself"),
        required=False,
    )
    scopes = forms.MultipleChoiceField(
        label=_lazy("What may it do?"),
        help_text=_lazy("It may always read. Your roles are asked as well, at every use. No token can vote."),
        choices=[
            (service.FILE, _lazy("file: open, edit, answer, submit and withdraw requests")),
            (service.RUN, _lazy("run: start approved rollbacks and let them go on")),
        ],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    days = forms.IntegerField(
        label=_lazy("Valid for how many days?"), min_value=1, max_value=service.MAX_DAYS, initial=30
    )

    def __init__(self, *args: Any, person: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if may(person, [ADMINISTRATOR]):
            accounts = get_user_model()._default_manager.filter(service_account__isnull=False, is_active=True)
            self.fields["owner"].queryset = accounts.order_by("username")  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]


@require_safe
@door
def token_list(request: HttpRequest) -> HttpResponse:
    """The tokens that the person may revoke, newest first."""
    rows, following = page_of(service.tokens_seen_by(request.user), key_in(request.GET.get("before", "")))
    context = {
        "tokens": rows,
        "following": following,
        "now": timezone.now(),
        "everybody": may(request.user, [ADMINISTRATOR]),
    }
    return render(request, "rollbacks/token_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth ships no types
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it once. The password is asked again first: a token outlives the session."""
    form = TokenForm(request.POST or None, person=request.user)
    refused = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            token, text = service.make_token(
                request.user,
                owner=given.get("owner") or request.user,
                name=given["name"],
                scopes=given["scopes"],
                days=given["days"],
            )
        except service.TokenRefused as refusal:
            refused = str(refusal)
        else:
            # Rendered at once and never redirected to, because it would have to be kept somewhere in between.
            return render(request, "rollbacks/token_made.html", {"token": token, "text": text})
    context = {"form": form, "refused": refused}
    return render(request, "rollbacks/token_new.html", context, status=409 if refused else 200)


@require_POST
@door
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a token invalid at once."""
    try:
        token = service.revoke_token(request.user, pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    messages.success(request, _("The token %(prefix)s… is revoked.") % {"prefix": token.prefix})
    return redirect("tokens")
