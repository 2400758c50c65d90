"""Keeping a rollback's branch as a patch, for whoever does not take it from the remote."""

from __future__ import annotations

import hashlib

from records import trail
from rollbacks.models import Execution, PatchFile
from rollbacks.services.moves import subject_of


def keep_patch(execution: Execution, content: bytes) -> None:
    """Keep the patch in place of an earlier one of this execution; the same bytes again change nothing."""
    sha256 = hashlib.sha256(content).hexdigest()
    with trail.recording(None) as facts:
        if PatchFile.objects.filter(execution=execution, sha256=sha256).exists():
            return
        PatchFile.objects.update_or_create(
            execution=execution, defaults={"content": content, "sha256": sha256, "size": len(content)}
        )
        facts.add("patch.kept", subject_of(execution.request_id), execution=execution.pk, sha256=sha256)
