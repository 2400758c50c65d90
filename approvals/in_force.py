"""The rule book in force: read once when the process starts, so that every page and every judgement uses the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from approvals.rulebook import RuleBook, RuleBookInvalid, read_rulebook


@cache
def rulebook() -> RuleBook:
    """Return the rule book of POLICY_FILE; raises RuleBookInvalid, also for a file that cannot be read.

    Only new processes see a changed file. Requests in review keep the rule that was frozen into their case.
    """
    path = Path(settings.POLICY_FILE)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleBookInvalid(f"{path} cannot be read ({error}); set POLICY_FILE to the policy file.") from error
    return read_rulebook(text)
