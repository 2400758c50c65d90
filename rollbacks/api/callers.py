"""Who calls the API: a person's session with CSRF, or a bearer token with its scopes, at a limited rate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from approvals.factors import must_enrol
from approvals.models import ApiToken
from approvals.roles import roles_of
from approvals.tokens import FILE, READ, RUN, note_use, token_of
from rollbacks.api.problems import NO_ROLE, Problem, unauthenticated

WINDOW = 60


@dataclass(frozen=True)
class Caller:
    """Who calls, and by which token; none for a session, which may do all that its person may."""

    person: Any
    token: ApiToken | None

    @property
    def scopes(self) -> list[str]:
        """What the caller may do beside what its roles allow."""
        return list(self.token.scopes) if self.token else [READ, FILE, RUN]


class Bearer(HttpBearer):
    """A bearer token; an endpoint names the scope that it needs. A token that is not valid never falls back to a cookie."""

    scope = READ

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        found = token_of(token)
        if found is None:
            raise unauthenticated("This token is not valid: it is unknown, revoked or expired. Make a new one.")
        person: Any = found.owner
        person.acts_through = f"token {found.prefix}"
        request.user = person
        note_use(found)
        _limit(f"token:{found.pk}")
        _require_role(person)
        self.require_scope(request, found)
        return Caller(person, found)

    def require_scope(self, request: HttpRequest, token: ApiToken) -> None:
        """Raise the problem of a token that was not made for this endpoint."""
        if self.scope not in token.scopes:
            sentence = f"This token lacks the scope “{self.scope}”; make one that has it, or use the pages."
            raise Problem("forbidden", sentence, needed_scope=self.scope)


class TokenRead(Bearer):
    """A token with the scope read; the name stands in the OpenAPI document."""


class TokenFile(Bearer):
    """A token with the scope file."""

    scope = FILE


class TokenRun(Bearer):
    """A token with the scope run."""

    scope = RUN


class NoVote(Bearer):
    """Refuses every token: a vote needs the person at the keyboard, at that moment."""

    def require_scope(self, request: HttpRequest, token: ApiToken) -> None:
        match = request.resolver_match
        page = reverse("request-sign", kwargs={"pk": match.kwargs["pk"]}) if match else "/"
        sentence = f"A token cannot vote, whosever it is: sign in the browser, on the page {page}."
        raise Problem("forbidden", sentence, sign_at=page)


class Session(APIKeyCookie):
    """The session of a person who is signed in in the browser; every change has to carry the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        if request.headers.get("Authorization"):
            raise unauthenticated("The Authorization header has no bearer token; send “Bearer” and the token.")
        if not request.user.is_authenticated:
            return None
        if check_csrf(request) is not None:
            sentence = "The CSRF token is missing or wrong; send the cookie's value in the header X-CSRFToken."
            raise Problem("forbidden", sentence)
        _limit(f"person:{request.user.pk}")
        _require_role(request.user)
        if must_enrol(request.user):
            sentence = "Your roles need a second factor and you have none; enrol one in the browser, then try again."
            raise Problem("forbidden", sentence, enrol_at=reverse("mfa_index"))
        return Caller(request.user, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """Unused: `__call__` answers already, because the session middleware has read the cookie."""
        return None


SESSION = Session()
READS = [TokenRead(), SESSION]
FILES = [TokenFile(), SESSION]
RUNS = [TokenRun(), SESSION]
VOTES = [NoVote(), SESSION]
# What the page of operations calls them; NoVote only exists to say where to sign.
SCOPE_NAMES = {"TokenRead": READ, "TokenFile": FILE, "TokenRun": RUN}


def caller_of(request: HttpRequest) -> Caller:
    """Return who calls, once an endpoint's authentication let them in."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # set by ninja
    return caller


def _require_role(person: Any) -> None:
    if not roles_of(person):
        raise Problem("forbidden", NO_ROLE)


def _limit(caller: str) -> None:
    """Count this minute's requests of the caller in the cache that all web processes share."""
    now = int(time.time())
    key = f"api:{caller}:{now // WINDOW}"
    try:
        count = 1 if cache.add(key, 1, timeout=2 * WINDOW) else cache.incr(key)
    except ValueError:
        # The cache forgot it between the two calls, and with it what was counted.
        count = 1
    if count > settings.API_REQUESTS_PER_MINUTE:
        wait = WINDOW - now % WINDOW
        sentence = f"More than {settings.API_REQUESTS_PER_MINUTE} requests in a minute; wait {wait} seconds."
        raise Problem("too-many", sentence, headers={"Retry-After": str(wait)})
