"""The operator's addresses, read from the worker's environment and never kept, shown or logged.

NOTIFY_URLS has one address a line: the audience (a role, or `team` for every notice), a label in any words,
and the address itself, which is a secret. Example: `on-call  Pager of the platform  pagerduty://KEY@…`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rollbacks.adapters import web

TEAM = "team"
# Services of apprise that speak HTTP through `requests` and nothing else, so that the guard sees all they do.
SCHEMES = frozenset(
    {
        "json", "jsons", "slack", "workflows", "mmosts", "gchat", "discord", "rockets", "pagerduty", "opsgenie",
        "splunk", "signl4", "ntfys", "gotifys", "zulip", "wxteams", "tgram", "spike", "pagertree", "squadcast",
        "incidentio",
    }
)  # fmt: skip


class BadAddresses(ValueError):
    """A line of NOTIFY_URLS cannot be used; the message names the line and never what is secret in it."""


@dataclass(frozen=True)
class Address:
    """One of the operator's addresses; `url` stays out of repr, so that no log line can carry it."""

    audience: str
    label: str
    scheme: str
    url: str = field(repr=False)


def addresses_of(environ: Mapping[str, str], *, roles: Collection[str]) -> tuple[Address, ...]:
    """Return the addresses of NOTIFY_URLS or of the file NOTIFY_URLS_FILE, in their order; raises BadAddresses."""
    text = environ.get("NOTIFY_URLS", "")
    path = environ.get("NOTIFY_URLS_FILE", "")
    if not text and path:
        try:
            text = Path(path).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise BadAddresses(
                "The file that NOTIFY_URLS_FILE names cannot be read; mount it for the worker."
            ) from error
    found: dict[str, Address] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        address = _address(number, line, roles)
        if address.label in found:
            raise BadAddresses(f"Line {number} of NOTIFY_URLS has the same label as an earlier line; give it another.")
        found[address.label] = address
    return tuple(found.values())


def networks_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the networks of NOTIFY_ALLOWED_NETWORKS, which addresses may reach though they are not public."""
    try:
        return web.networks_of(environ)
    except web.BadNetworks as error:
        raise BadAddresses(str(error)) from error


def _address(number: int, line: str, roles: Collection[str]) -> Address:
    words = line.split()
    if len(words) < 3:
        raise BadAddresses(f"Line {number} of NOTIFY_URLS needs three parts: audience, label and address.")
    audience, label, url = words[0], " ".join(words[1:-1]), words[-1]
    if audience not in {TEAM, *roles}:
        raise BadAddresses(f"Line {number} of NOTIFY_URLS begins with no audience; use {TEAM} or a role.")
    # The label is shown, so a part of the address must not end up in it.
    if "://" in label or len(label) > 80:
        raise BadAddresses(f"Line {number} of NOTIFY_URLS needs a label in up to 80 signs before the address.")
    scheme, mark, _rest = url.partition("://")
    if not mark or scheme.lower() not in SCHEMES:
        raise BadAddresses(
            f"Line {number} of NOTIFY_URLS has an address of a kind that is not sent to; "
            f"use one of {', '.join(sorted(SCHEMES))}."
        )
    return Address(audience, label, scheme.lower(), url)
