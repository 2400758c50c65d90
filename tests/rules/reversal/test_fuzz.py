"""Whatever text arrives, assessing it ends in an assessment or one sentence, and the caller lives on."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as given_by

from rollbacks.reversal import parse
from rollbacks.reversal.assess import Assessment, assess, assess_statements
from tests.rules.reversal.test_assess import ORDINARY, REACHES

WORDS = [
    "SELECT", "DROP", "TABLE", "ALTER", "COLUMN", "DELETE", "FROM", "WITH", "AS", "(", ")", ";", ",", "'", '"', "$$", "$a$",
    "--", "/*", "*/", "\n", "\\", "E'", "U&'", "t", "drizzle", ".", "=", "1", "DO", "CASCADE", "é", "\U0001f600", "\u202e",
    "\x00", "\ud800", "а", "--> statement-breakpoint", "::", "BEGIN", "END", "EXECUTE", "CONCURRENTLY", "pg_read_file",
]  # fmt: skip
CLASSES = set("RDXNPWS")


def check(sql: str) -> None:
    """Assess the text; anything but Unreadable that is raised fails the test that calls this."""
    try:
        found = assess(sql, audit_tables=("audit_events",))
    except parse.Unreadable as error:
        hold_sentence(error)
    else:
        hold(sql, found)


def hold_sentence(error: parse.Unreadable) -> None:
    """Check that people get a whole sentence."""
    assert str(error).endswith("."), str(error)


def hold(sql: str, found: Assessment) -> None:
    """Check what every assessment promises."""
    assert len(found.judgements) == len(found.statements)
    assert {each.cls for each in found.judgements} <= CLASSES
    assert all(sql[each.start : each.end] == each.text for each in found.statements)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(given_by.one_of(
    given_by.text(max_size=200),
    given_by.lists(given_by.sampled_from(WORDS), max_size=40).map(" ".join),
    given_by.lists(given_by.sampled_from(ORDINARY), max_size=4).map("; ".join),
))  # fmt: skip
def test_any_text_is_assessed_or_refused_in_a_sentence(sql: str) -> None:
    check(sql)


def test_mutated_statements_are_assessed_or_refused_in_a_sentence() -> None:
    """The parser is asked for a hundred texts at once; FUZZ_INPUTS raises their number."""
    chance = random.Random(int(os.environ.get("FUZZ_SEED", "11")))
    corpus = [*ORDINARY, *(sql for inputs in REACHES.values() for sql in inputs)]
    number = int(os.environ.get("FUZZ_INPUTS", "2000"))
    for _ in range(0, number, 100):
        check_together([_spliced(chance, corpus) for _ in range(100)])


def check_together(texts: list[str]) -> None:
    """Check texts with one child process; when one of them brings it down, each half alone."""
    fit = []
    for text in texts:
        try:
            parse.refuse_unreviewable(text)
            fit.append(text)
        except parse.Unreadable as error:
            hold_sentence(error)
    try:
        answers = parse._ask_child(fit)
    except parse.Unreadable:
        if len(fit) > 1:
            check_together(fit[: len(fit) // 2])
            check_together(fit[len(fit) // 2 :])
        return
    for text, answer in zip(fit, answers, strict=True):
        try:
            statements = parse._statements(parse._taken_apart(text, answer))
            hold(text, assess_statements(text, statements, audit_tables=("audit_events",)))
        except parse.Unreadable as error:
            hold_sentence(error)


def _spliced(chance: random.Random, corpus: list[str]) -> str:
    text = chance.choice(corpus)
    for _ in range(chance.randrange(1, 5)):
        at, other = chance.randrange(len(text) + 1), chance.choice(corpus)
        text = chance.choice([
            text[:at] + chance.choice(WORDS) + text[at:],
            text[:at] + other[chance.randrange(len(other)) :],
            text[:at] + text[at + chance.randrange(1, 6) :],
            f"{text}; {other}",
        ])  # fmt: skip
    return text
