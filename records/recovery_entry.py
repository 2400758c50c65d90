"""The entry of a recovery for `ops/disaster-recovery/` as Markdown: what was restored, what was found, how it ended.

Source: the runbook's emergency section, step 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from records.markdown import cell, name, quote

FORMAT = "recovery-record/1"


def recovery_entry(document: Mapping[str, Any], *, digest: str) -> str:
    """Return the entry; `document` is the sealed record and `digest` its SHA-256. The same document gives the same entry."""
    parts = (_head(document), _found(document), _cutover(document), _seal(digest))
    return "\n".join(part for part in parts if part)


def _head(document: Mapping[str, Any]) -> str:
    plan = document["plan"]
    source = f"as of {plan['point']}" if plan["point"] else f"from the backup {cell(plan['backup'])}"
    before = f", before {cell(plan['before'])}" if plan["before"] else ""
    signed = [
        f"{cell(name(vote['person']))} ({vote['role']})"
        for vote in document["sign_off"].get("votes", [])
        if vote["choice"] == "approve"
    ]
    return "\n".join([
        f"# PR-{document['recovery']}: {cell(plan['target'])} {source}{before}", "",
        f"- Result: **{document['result'].replace('_', ' ')}**",
        f"- Incident: {cell(plan['incident'])}",
        f"- Target: {cell(plan['target'])} ({cell(plan['environment'])})",
        f"- Restored by {cell(plan['provider'])} to the new server `{plan['server']}`; production was not written to",
        f"- Opened at {document['opened_at']} by {cell(name(document['author']))}; signed by {', '.join(signed)}",
        "", "## Why", "", quote(plan["purpose"]), "", "## How it ended", "", quote(document["ending"]), "",
    ])  # fmt: skip


def _found(document: Mapping[str, Any]) -> str:
    inspected: Mapping[str, Any] = next(
        (step["evidence"] for step in document["steps"] if step["name"] == "inspect"), {}
    )
    if not inspected:
        return ""
    findings = [f"- {cell(each)}" for each in inspected["findings"]] or ["- Nothing differs."]
    rows = [f"| {cell(each['table'])} | {each['recovered']} | {each['target_about']} |" for each in inspected["rows"]]
    return "\n".join([
        "## What was found on it", "",
        f"Newest migration: `{inspected['newest_migration']}`.", "", *findings, "",
        "| Table | Rows recovered | Rows on the target, about |", "|---|---|---|", *rows, "",
    ])  # fmt: skip


def _cutover(document: Mapping[str, Any]) -> str:
    if not document["cutover"]:
        return ""
    window = document["downtime"]
    lines = ["## Cutover", ""]
    if window["start"]:
        lines += [f"Downtime from {window['start']} to {window['end']}.", ""]
    for each in document["cutover"]:
        lines += [f"- {cell(each['title'])}: {cell(each['text'])} ({cell(name(each['person']))}, {each['at']})"]
    return "\n".join([*lines, ""])


def _seal(digest: str) -> str:
    return f"## Seal\n\nThe JSON file beside this one is the sealed document. Its SHA-256 is\n`{digest}`.\n"
