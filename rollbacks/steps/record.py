"""Record: seal the change record, then file it under ops/change-management/ on the rollback's branch.

What was a security event or a production incident gets its entry in ops/incident-response/ beside it.
"""

from __future__ import annotations

from typing import Any

from records.incident import incident_entry
from records.markdown import render
from rollbacks.adapters.repository import Repository, RepositoryError
from rollbacks.ports import Evidence, StepContext, StepInterrupted
from rollbacks.steps import project

FOLDER, INCIDENTS = "ops/change-management", "ops/incident-response"


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: sealing and filing are both idempotent, so they are simply done again."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Return the record's digest and the path of its file; nothing is sealed or filed twice."""
    sealed = ctx.seal(ctx.history())
    name = file_name(sealed["document"])
    staged = ctx.evidence["stage"]
    files = {
        f"{FOLDER}/{name}.json": sealed["text"].encode(),
        f"{FOLDER}/{name}.md": render(sealed["document"], digest=sealed["digest"]).encode(),
    }
    incident = incident_entry(sealed["document"], digest=sealed["digest"])
    if incident:
        files[f"{INCIDENTS}/{name}.md"] = incident.encode()
    try:
        repository = Repository(ctx.target.repository, signing_key=ctx.environ.get("GIT_SIGNING_KEY", ""))
        commit = repository.extend_branch(
            staged["branch"],
            base=staged["commit"],
            files=files,
            message=f"Add the change record of RB-{ctx.request}\n\nSealed with SHA-256 {sealed['digest']}.\n",
            author=ctx.started_by,
        )
        project.keep_patch(ctx, repository)
        if repository.has_remote():
            repository.push(staged["branch"])
    except RepositoryError as error:
        raise StepInterrupted(str(error)) from error
    return {
        "record": sealed["id"],
        "digest": sealed["digest"],
        "files": sorted(files),
        "branch": staged["branch"],
        "commit": commit,
    }


def file_name(document: dict[str, Any]) -> str:
    """Return the file's name without its ending: date of the run, request and run number."""
    text: str = f"{document['execution']['started_at'][:10]}-rb-{document['request']['id']}-run-{document['execution']['number']}"
    return text
