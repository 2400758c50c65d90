"""One notice's content as a value: its words in one place, characters that hide or reorder text made visible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from notices.causes import Cause
from portal.templatetags.visible_text import INVISIBLE

TITLE = 200


@dataclass(frozen=True)
class Content:
    """One notice's words. `effect` says what happens if the reader does what is asked; `action` names the link."""

    title: str
    ask: str
    path: str
    action: str
    effect: str = ""
    risks: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    digest: str = ""

    def document(self) -> dict[str, Any]:
        """Return the words as JSON, characters that hide or reorder text shown as ⟨U+202E⟩."""
        shown: dict[str, Any] = _shown(asdict(self))
        return shown


Words = Callable[[Cause], Content]


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return INVISIBLE.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", value)
    if isinstance(value, dict):
        return {name: _shown(part) for name, part in value.items()}
    return [_shown(part) for part in value]


def one_line(text: Any, limit: int = TITLE) -> str:
    """Return the text in one line of at most so many signs, as a subject line needs it."""
    joined = " ".join(str(text).split())
    return joined if len(joined) <= limit else f"{joined[: limit - 1]}…"
