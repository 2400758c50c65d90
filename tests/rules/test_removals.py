"""The tool that takes rules out of the engine takes each one out, and puts what is left into the running module."""

from __future__ import annotations

import ast
import sys
from types import ModuleType

import pytest

from benchmarks.removals import alternatives, put, removals

SOURCE = r"""
import re
KINDS = {"a", "b"}
WORDS = re.compile(r"x|y(z|[|)]|\|)")
class Box:
    def get(self) -> str | None:
        return "full" if KINDS else ""
def judge(kind: str, depth: int = 0) -> list[str]:
    found = [each for each in ("a", "b") if each == kind]
    if kind in KINDS and depth:
        found.append("deep")
    depth += 1
    return found + [str(depth)]
"""


def test_every_rule_is_taken_out_alone() -> None:
    found = list(removals("box", SOURCE))
    assert {each.name.removeprefix("box") for each in found} == {
        ": without element 'a'", ": without element 'b'",
        ": without alternative x", ": without alternative y(z|[|)]|\\|)", ": without alternative z",
        ": without alternative [|)]", ": without alternative \\|",
        ".Box.get: never if KINDS", ".judge: without element 'a'", ".judge: without element 'b'",
        ".judge: also if not each == kind", ".judge: never if kind in KINDS and depth", ".judge: without and kind in KINDS",
        ".judge: without and depth", ".judge: without found.append('deep')", ".judge: without depth += 1",
        ".judge: without operand [str(depth)]", ".judge: without operand found",
    }  # fmt: skip
    assert {each.constant for each in found if not each.scope} == {"KINDS", "WORDS"}
    assert next(each for each in found if "append" in each.what).lines == {11}
    for each in found:
        ast.unparse(each.tree)


@pytest.fixture
def box() -> ModuleType:
    module = ModuleType("box")
    module.__file__ = "box.py"
    exec(SOURCE, module.__dict__)
    return module


def test_what_is_left_is_what_runs(box: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    user = ModuleType("rollbacks.user_of_box")
    user.judge, user.KINDS, user.instance = box.judge, box.KINDS, box.Box()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rollbacks.user_of_box", user)
    monkeypatch.setitem(sys.modules, "rollbacks.box", box)
    box.__name__ = "rollbacks.box"
    assert user.judge("a", 1) == ["a", "deep", "2"] and user.instance.get() == "full"
    for name in (".judge: without found.append('deep')", ": without element 'b'"):
        tree = next(each.tree for each in removals("box", SOURCE) if each.name == f"box{name}")
        put(box, tree)
    assert {"a"} == user.KINDS
    put(box, next(each.tree for each in removals("box", SOURCE) if "never if KINDS" in each.name))
    assert user.judge("a", 1) == ["a", "deep", "2"] and {"a", "b"} == user.KINDS


def test_alternatives_of_groups_and_classes_are_told_apart() -> None:
    pattern = r"a(?:b|c)|[|]|\|"
    assert [pattern[start:end] for start, end in alternatives(pattern)] == ["b", "c", "a(?:b|c)", "[|]", r"\|"]
