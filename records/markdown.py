"""A change record as Markdown, for the repository: the same facts as the sealed JSON, to be read by people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from records.chain import canonical

# Evidence that is long or repeated elsewhere in the document; the sealed JSON has it in full.
OMITTED = {
    "row_counts",
    "statements",
    "ledger",
    "settings",
    "expected",
    "outside",
    "drift",
    "immutability_removed",
}


def render(document: Mapping[str, Any], *, digest: str) -> str:
    """Return the document as Markdown that ends with the digest of the sealed JSON beside it."""
    parts = (
        _head(document),
        _why(document),
        _proof(document),
        _table("Checklist", ("Item", "Answered by", "When", "Evidence"), _checklist(document)),
        _table("Sign-off", ("Role", "Person", "Choice", "When", "Proved by"), _votes(document)),
        _confirmations(document),
        _steps(document),
        _outside(document),
        _sql(document),
        f"## Seal\n\nThe JSON file beside this one is the sealed document. Its SHA-256 is\n`{digest}`.\n",
    )
    return "\n".join(part for part in parts if part)


def _head(document: Mapping[str, Any]) -> str:
    plan, request = document["plan"], document["request"]
    undone = ", ".join(f"`{each['tag']}`" for each in plan["undo"])
    lines = [
        f"# RB-{request['id']}: {plan['target']['name']} back to {plan['return_to'] or 'the empty database'}",
        "",
        f"- Result: **{document['result']}**",
        f"- Target: {cell(plan['target']['name'])} ({cell(plan['target']['environment'])}), database "
        f"`{plan['target']['database']}`, system identifier `{plan['target']['system_identifier']}`",
        f"- Undone: {undone}",
        f"- Filed by {name(request['author'])} at {request['opened_at']}",
        f"- Started by {name(document['execution']['started_by'])} at {document['execution']['started_at']}",
        f"- Plan digest: `{document['digest']}`",
        f"- Security-impacting: {'yes' if plan['impacts'] else 'no'}",
        *_commands(plan.get("options", {})),
        "",
    ]
    return "\n".join(lines)


def _commands(options: Mapping[str, Any]) -> list[str]:
    named = (("migrate", "Applied by the project's own command"), ("contract_tests", "Contract tests"))
    return [f"- {words}: {cell(' '.join(options[key]))}" for key, words in named if options.get(key)]


def _why(document: Mapping[str, Any]) -> str:
    plan = document["plan"]
    lines = ["## Why", "", quote(plan["reason"]), ""]
    if plan["incident_reference"]:
        lines += [f"Production incident: {cell(plan['incident_reference'])}", ""]
    if plan["impacts"]:
        lines += [*(f"- {cell(impact)}" for impact in plan["impacts"]), ""]
        lines += [f"Security incident: {cell(plan['security_incident'])}", ""]
        lines += ["Justification:", "", quote(plan["justification"]), ""]
    removed = removed_protections(document)
    return "\n".join([*lines, *(["Audit immutability was removed:", "", *removed, ""] if removed else [])])


def removed_protections(document: Mapping[str, Any]) -> list[str]:
    """Return one line for each object that protected an audit table and that the rollback removed."""
    rehearsed: Mapping[str, Any] = next(
        (each["evidence"] for each in document["steps"] if each["name"] == "rehearse"), {}
    )
    return [f"- {cell(each['kind'])} {cell(each['name'])}" for each in rehearsed.get("immutability_removed", [])]


def _proof(document: Mapping[str, Any]) -> str:
    proof = document["plan"]["proof"]
    live = proof.get("live", {})
    lines = ["## Proof", "", f"{str(proof['outcome']).capitalize()} on PostgreSQL {proof['server_version']} before anybody signed; "
             f"round trip {proof['round_trip']}.", "", f"- Digest: `{proof['digest']}`",
             f"- Catalog at the return point: `{proof['return_point_facts']}`",
             f"- Catalog at the newest migration: `{proof['newest_facts']}`"]  # fmt: skip
    lines += [f"- At stake: {cell(each['sentence'])}" for each in live.get("at_stake", ())]
    lines += [f"- Drift: {cell(sentence)}" for sentence in live.get("drift", ())]
    return "\n".join([*lines, ""])


def _checklist(document: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for line in document["checklist"]:
        yield (line["title"], name(line["answered_by"]), line.get("answered_at") or "", _evidence(line["evidence"]))


def _votes(document: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for vote in document["sign_off"].get("votes", []):
        behalf = vote.get("on_behalf_of")
        signer = f"{name(vote['person'])} for {name(behalf)}" if behalf else name(vote["person"])
        yield (vote["role"], signer, vote["choice"], vote["signed_at"], vote["method"])


def _confirmations(document: Mapping[str, Any]) -> str:
    """Each vote's evidence whole and in one line, as `tools/verify_signature.py` reads it."""
    lines = []
    for vote in document["sign_off"].get("votes", []):
        if vote.get("confirmation"):
            lines += [f"### {cell(vote['role'])}: {cell(name(vote['person']))}", ""]
            lines += ["```json", canonical(vote["confirmation"]), "```", ""]
    return "\n".join(["## Confirmations", "", *lines]) if lines else ""


def _steps(document: Mapping[str, Any]) -> str:
    lines = ["## Steps", ""]
    for step in document["steps"]:
        lines.append(f"### {step['name']}")
        lines.append("")
        lines.append(f"From {step['started_at']} to {step['finished_at']}, attempt {step['attempt']}.")
        lines.append("")
        shown = {key: value for key, value in step["evidence"].items() if key not in OMITTED}
        said = {key: value for key, value in shown.items() if isinstance(value, Mapping) and "output" in value}
        lines += [f"- {key.replace('_', ' ')}: {cell(value)}" for key, value in shown.items() if key not in said]
        lines.append("")
        for key, value in said.items():
            lines += _command(key.replace("_", " "), value)
    return "\n".join(lines)


def _command(title: str, ended: Mapping[str, Any]) -> list[str]:
    """Return how one of the project's own commands ended and what it said."""
    how = "ended at its limit" if ended["ended_at_limit"] else f"exit code {ended['exit_code']}"
    fence = _fence(ended["output"])
    cut = ["", "The beginning of its output is cut off."] if ended["beginning_of_output_cut"] else []
    return [
        f"{title.capitalize()}: {cell(ended['command'])}, {how}, {ended['milliseconds']} ms.", *cut, "",
        f"{fence}text", *ended["output"].splitlines(), fence, "",
    ]  # fmt: skip


def _outside(document: Mapping[str, Any]) -> str:
    """The statements that no transaction held, as they were signed; empty where there were none."""
    lane: Mapping[str, Any] = document["plan"].get("lane", {})
    if not lane:
        return ""
    lines = ["## Outside the transaction", "", "These statements ran outside the transaction, one by one; they were not atomic.",
             "In the file below they stand without CONCURRENTLY, for migrate().", ""]  # fmt: skip
    for side, title in (("before", "Before the transaction"), ("after", "After its COMMIT")):
        for text in lane.get(side, ()):
            fence = _fence(text)
            lines += [f"{title}:", "", f"{fence}sql", *text.splitlines(), fence, ""]
    return "\n".join(lines)


def _sql(document: Mapping[str, Any]) -> str:
    file = document["plan"]["file"]
    fence = _fence(file["text"])
    return f"## SQL that was signed and run\n\nSHA-256 `{file['sha256']}`.\n\n{fence}sql\n{file['text']}{fence}\n"


def _fence(text: str) -> str:
    """Return a fence that nothing inside the text can close."""
    fence = "````"
    while fence in text:
        fence += "`"
    return fence


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return "\n".join([*lines, ""])


def _evidence(evidence: Mapping[str, Any] | None) -> str:
    if evidence is None:
        return "not asked for"
    return ", ".join(f"{key}: {value}" for key, value in evidence.items() if value not in ("", None))


def name(person: Any) -> str:
    """Return what a person of the document is called."""
    if isinstance(person, Mapping):
        return str(person.get("name") or person.get("username"))
    return str(person or "")


def cell(value: Any) -> str:
    """Keep what people typed inside its cell or line: no line break, table bar or markup of its own."""
    text = " ".join(str(value).split())
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}")
    return text


def quote(text: str) -> str:
    """Return what people typed as a quotation, line by line."""
    return "\n".join(f"> {cell(line)}" for line in text.splitlines()) or "> "
