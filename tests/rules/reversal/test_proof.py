"""What a proof is about and what it says, as values whose digests change with every word that matters."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from rollbacks.reversal.proof import DISPROVEN, PROVEN, Proof, Subject, chain_digest

SUBJECT = Subject(
    chain_digest(["one", "two"]), "0000_m0", (("0002_m2", "SELECT 2;\nSELECT 3;"), ("0001_m1", "SELECT 1;"))
)
STATEMENT = {"line": 2, "milliseconds": 7, "locks": ["public.t AccessExclusiveLock"], "rewritten": ["public.t"]}
PROOF = Proof(
    outcome=PROVEN, differences=("a table",), reordered=("public.t",), round_trip="held", statements=(STATEMENT,),
    reverse_sha256="reverse", chain_sha256="chain", return_point_facts="before", newest_facts="after",
    server_version="18.1", notes=("a note",),
)  # fmt: skip


def test_a_chain_is_its_hashes_in_their_order() -> None:
    assert chain_digest(["one", "two"]) == hashlib.sha256(b"one\ntwo").hexdigest()
    assert chain_digest(["two", "one"]) != chain_digest(["one", "two"]) != chain_digest(["onetwo"])


@pytest.mark.parametrize(
    ("said", "tag", "line"),
    [
        ("-- Undo 0002_m2", "0002_m2", 1), ("SELECT 2;", "0002_m2", 1), ("SELECT 3;", "0002_m2", 2),
        ("-- Undo 0001_m1", "0001_m1", 1), ("SELECT 1;", "0001_m1", 1),
    ],
)  # fmt: skip
def test_a_line_of_the_whole_has_its_place_in_one_migrations_sql(said: str, tag: str, line: int) -> None:
    assert SUBJECT.place(SUBJECT.reverse.split("\n").index(said) + 1) == (tag, line)


def test_a_line_after_the_end_belongs_to_the_last_migration_and_none_to_nothing() -> None:
    assert SUBJECT.place(99)[0] == "0001_m1"
    with pytest.raises(ValueError, match="nothing to undo"):
        replace(SUBJECT, undo=()).place(1)


@pytest.mark.parametrize(
    "change",
    [
        {"chain_sha256": "other"}, {"return_to": None}, {"undo": SUBJECT.undo[:1]}, {"undo": SUBJECT.undo[::-1]},
        {"undo": (("0002_m2", "SELECT 2;\nSELECT 3; "), SUBJECT.undo[1])}, {"undo": (("0002_m3", SUBJECT.undo[0][1]), SUBJECT.undo[1])},
    ],
)  # fmt: skip
def test_another_subject_has_another_digest(change: dict[str, Any]) -> None:
    assert replace(SUBJECT, **change).digest != SUBJECT.digest


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": DISPROVEN}, {"differences": ()}, {"reordered": ()}, {"round_trip": "broke"}, {"statements": ()},
        {"statements": ({**STATEMENT, "locks": []},)}, {"statements": ({**STATEMENT, "rewritten": []},)}, {"reverse_sha256": ""},
        {"chain_sha256": ""}, {"return_point_facts": ""}, {"newest_facts": ""}, {"server_version": "17.4"}, {"notes": ()},
    ],
)  # fmt: skip
def test_whatever_a_proof_says_is_in_its_digest_and_its_document(change: dict[str, Any]) -> None:
    other = replace(PROOF, **change)
    assert other.digest != PROOF.digest and other.document() != PROOF.document()


def test_a_proof_that_took_longer_says_the_same() -> None:
    assert replace(PROOF, statements=({**STATEMENT, "milliseconds": 8},)).digest == PROOF.digest
    assert PROOF.document()["statements"] == [STATEMENT]


def test_a_proof_survives_being_written_down() -> None:
    assert json.loads(json.dumps(PROOF.document())) == PROOF.document()
    assert PROOF.passed and not replace(PROOF, outcome=DISPROVEN).passed
