"""Removals that nobody could see: each by its name with the reason; everything else has to make a test fail."""

from __future__ import annotations

PLACE = (
    "it names a step that is about no object of its own; a step whose kind is not known has the same place in the order"
)

TYPE = "it is the name of a type, which only the type checker reads"

SPEED = "it only makes the reading quicker"

UNREAD = "only a foreign key's question has another relation, and nothing reads what the others have there"

EQUIVALENTS: dict[str, str] = {
    "changes._kept_columns: without element 'archive'": PLACE,
    "changes._alters: without element 'archive'": PLACE,
    "changes._alters: without element 'identity'": PLACE,
    "changes._alters: without element 'identity' (2)": PLACE,
    "changes._physical: without element 'physical'": PLACE,
    "questions.Question: without element ''": UNREAD,
    "questions.Question: without element '' (2)": UNREAD,
    "catalog: without 'jit'": SPEED,
    "parse: without operand str": TYPE,
    "parse: without operand tuple[Statement, ...]": TYPE,
}
