"""The incident entry of a rollback for `ops/incident-response/`: what happened, and what is still to do about it.

Source: the runbook's checklist (an incident for what a production incident triggered) and its special procedure for
0004 (removing audit immutability is an auditable security event).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from records.markdown import cell, name, quote, removed_protections

SECURITY, PRODUCTION = "Security incident", "Production incident"


def incident_entry(document: Mapping[str, Any], *, digest: str) -> str:
    """Return the entry as Markdown, or "" when the rollback was neither a security event nor a production incident.

    `document` is the sealed change record and `digest` its SHA-256; the same document gives the same entry.
    """
    plan = document["plan"]
    kinds = [
        kind for kind, is_one in ((SECURITY, plan["impacts"]), (PRODUCTION, plan["production_incident"])) if is_one
    ]
    if not kinds:
        return ""
    parts = (_head(document, kinds, digest), _touched(plan), _removed(document))
    return "\n".join(part for part in parts if part)


def _head(document: Mapping[str, Any], kinds: list[str], digest: str) -> str:
    plan, request, target = document["plan"], document["request"], document["plan"]["target"]
    references = {SECURITY: plan["security_incident"], PRODUCTION: plan["incident_reference"]}
    signed = [
        f"{cell(name(vote['person']))} ({vote['role']})"
        for vote in document["sign_off"].get("votes", [])
        if vote["choice"] == "approve"
    ]
    return "\n".join([
        f"# {' and '.join(kinds)}: RB-{request['id']} on {cell(target['name'])}",
        "",
        *(f"- {kind}: {cell(references[kind])}" for kind in kinds),
        f"- Database: `{target['database']}`, system identifier `{target['system_identifier']}` ({cell(target['environment'])})",
        f"- Rolled back to {plan['return_to'] or 'the empty database'}: "
        + ", ".join(f"`{each['tag']}`" for each in plan["undo"]),
        f"- Started at {document['execution']['started_at']} by {cell(name(document['execution']['started_by']))}",
        f"- Filed by {cell(name(request['author']))}; signed by {', '.join(signed)}",
        f"- Change record: `ops/change-management/`, SHA-256 `{digest}`",
        "",
        "## Why",
        "",
        quote(plan["reason"]),
        "",
    ])  # fmt: skip


def _touched(plan: Mapping[str, Any]) -> str:
    if not plan["impacts"]:
        return ""
    lines = ["## What it touches of security", "", *(f"- {cell(impact)}" for impact in plan["impacts"]), ""]
    return "\n".join([*lines, "Justification:", "", quote(plan["justification"]), ""])


def _removed(document: Mapping[str, Any]) -> str:
    removed = removed_protections(document)
    if not removed:
        return ""
    return "\n".join([
        "## Audit immutability was removed", "", *removed, "",
        "The portal keeps a follow-up open until these are on the database again, word for word, or until security and "
        "the CTO have signed that they may stay away.", "",
    ])  # fmt: skip
