"""Opening a pull request at GitHub over its REST API, with the guarded child that asks the operator's other addresses.

Source: GitHub REST API, version 2022-11-28, “Create a pull request” (201, 403, 422) and “List pull requests”.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from rollbacks.adapters import web
from rollbacks.adapters.redaction import cleaned, secrets_of
from rollbacks.adapters.target import variable_of

TOKEN, API = "GITHUB_TOKEN", "GITHUB_API_URL"
DEFAULT_API = "https://api.github.com"
SECONDS = 20.0
MOST_BYTES = 1024 * 1024
SAID = 300


class NotOpened(Exception):
    """No pull request was opened; `again` says whether another attempt may end otherwise."""

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again


def open_pull_request(
    target: str, repository: str, *, branch: str, base: str, title: str, body: str, environ: Mapping[str, str]
) -> str:
    """Return the address of the pull request for the branch, of the one that is there already if there is one.

    The token is NAME_GITHUB_TOKEN of the worker's environment; NAME_GITHUB_API_URL leads to an own server. Raises NotOpened.
    """
    try:
        token = web.address_of(target, TOKEN, environ)
    except web.NoAddress as error:
        raise NotOpened(f"No pull request was opened: {error}") from error
    owner = repository.partition("/")[0]
    # Looked for first, because a worker may have died between opening it and writing that down.
    query = urlencode({"head": f"{owner}:{branch}", "base": base, "state": "all"})
    there = f"/repos/{repository}/pulls?{query}"
    found = _ask("GET", target, there, token, environ)
    asked = {"title": title, "body": body, "head": branch, "base": base, "maintainer_can_modify": False}
    if not found:
        try:
            return _address(_ask("POST", target, f"/repos/{repository}/pulls", token, environ, asked))
        except NotOpened as refusal:
            # One may have come in between, and GitHub refuses a second one for the same branch.
            found = _ask("GET", target, there, token, environ) if not refusal.again else []
            if not found:
                raise
    return _address(found[0] if isinstance(found, list) else found)


def _ask(method: str, target: str, path: str, token: str, environ: Mapping[str, str], body: Any = None) -> Any:
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "rollback-portal",
    }
    url = environ.get(variable_of(target, API), "").rstrip("/") or DEFAULT_API
    try:
        answer = web.ask(
            method, f"{url}{path}", body=body, headers=headers, environ=environ, seconds=SECONDS, most=MOST_BYTES
        )
    except web.Unanswered as error:
        raise NotOpened(f"No pull request was opened: {error}", again=True) from error
    if not answer.good:
        raise _refusal(answer, environ)
    try:
        return json.loads(answer.text)
    except ValueError as error:
        raise NotOpened("No pull request was opened: GitHub did not answer with JSON.", again=True) from error


def _refusal(answer: web.Answer, environ: Mapping[str, str]) -> NotOpened:
    known = {
        401: "the worker's token is not valid; renew it",
        403: "the worker's token may not do this; give it pull requests: write",
        404: "the repository is not there for the worker's token; check its name and the token's rights",
        429: "too much was asked of GitHub",
    }
    why = known.get(answer.status, f"GitHub answered with the status {answer.status}")
    said = _said(answer.text)
    shown = cleaned(f" ({said})", secrets_of(environ)) if said and answer.status not in {401, 404} else ""
    return NotOpened(f"No pull request was opened: {why}{shown}.", again=answer.status >= 500 or answer.status == 429)


def _said(text: str) -> str:
    """Return what a refusal says of itself: its message, and each error's."""
    try:
        found = json.loads(text)
        errors = [each.get("message") or each.get("code") or "" for each in found.get("errors", [])]
        return " ".join(" ".join([found.get("message", ""), *errors]).split())[:SAID]
    except (ValueError, AttributeError, TypeError):
        return ""


def _address(pull: Any) -> str:
    """Return the pull request's page; anything but a web address would become a link of its own on the run page."""
    address = str(pull.get("html_url", "")) if isinstance(pull, dict) else ""
    if urlsplit(address).scheme != "https" or len(address) > 500:
        raise NotOpened("A pull request was opened, but GitHub did not say where; look for it there.")
    return address
