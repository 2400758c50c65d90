"""Sealing the change record of an execution and giving the sealed document back."""

from __future__ import annotations

import json

from records.record import seal
from rollbacks.models import Execution
from rollbacks.ports import Evidence
from rollbacks.services.moves import subject_of


def seal_record(execution: Execution, document: Evidence) -> Evidence:
    """Seal the document as the execution's change record; a second call returns what the first one sealed."""
    back_to = execution.request.return_to or "the empty database"
    record = seal(
        token=f"execution-{execution.pk}",
        subject=subject_of(execution.request_id),
        title=f"{execution.request}: {execution.target.title} back to {back_to}",
        result=document["result"],
        document=document,
    )
    return {
        "id": record.pk,
        "digest": record.digest,
        "text": record.document,
        "document": json.loads(record.document),
    }
