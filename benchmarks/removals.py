"""One rule at a time taken out of a module's source, and put into the running module in its place."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

SHOWN = 90
# What only says something of the code, or has to keep its form, holds no rule.
FORMS = (ast.Return, ast.Yield, ast.Dict, ast.Subscript, ast.Assign)
Change = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Removal:
    """One rule gone: its place, what is gone in words that outlive a shift of lines, and the tree without it.

    `lines` are those of the statement that it stands in, `constant` names the module's constant when it is in one.
    """

    module: str
    scope: str
    line: int
    what: str
    tree: ast.Module
    lines: frozenset[int]
    constant: str = ""

    @property
    def name(self) -> str:
        """What the removal is called in the tables, the same as long as its code is the same."""
        return f"{self.module}.{self.scope}: {self.what}" if self.scope else f"{self.module}: {self.what}"


def removals(module: str, source: str) -> Iterator[Removal]:
    """Yield the module without each of its rules, in the order of the source."""
    whole = ast.parse(source)
    places = _places(whole)
    seen: dict[str, int] = {}
    for number, node in enumerate(ast.walk(whole)):
        if number not in places:
            continue
        scope, lines, constant, parent = places[number]
        for what, change in _changes(node, parent):
            tree = ast.parse(source)
            change(next(each for at, each in enumerate(ast.walk(tree)) if at == number))
            nth = seen[what + scope] = seen.get(what + scope, 0) + 1
            told = what if nth == 1 else f"{what} ({nth})"
            line: int = getattr(node, "lineno", min(lines, default=0))
            yield Removal(module, scope, line, told, ast.fix_missing_locations(tree), lines, constant)


def _places(whole: ast.Module) -> dict[int, tuple[str, frozenset[int], str, ast.AST]]:
    """Return scope, lines, constant and parent of every node that runs, by its number in ast.walk."""
    numbers = {id(node): number for number, node in enumerate(ast.walk(whole))}
    found: dict[int, tuple[str, frozenset[int], str, ast.AST]] = {}

    def visit(node: ast.AST, parent: ast.AST, scope: str, lines: frozenset[int], constant: str) -> None:
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            lines = frozenset(range(node.lineno, max(last, node.lineno) + 1))
            if not scope and isinstance(node, ast.Assign | ast.AnnAssign):
                first = node.targets[0] if isinstance(node, ast.Assign) else node.target
                constant = first.id if isinstance(first, ast.Name) else ""
        found[numbers[id(node)]] = (scope, lines, constant, parent)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            scope = f"{scope}.{node.name}".strip(".")
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns", "decorator_list", "bases"}:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child, node, scope, lines, constant)

    visit(whole, whole, "", frozenset(), "")
    return found


def _changes(node: ast.AST, parent: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.If | ast.IfExp):
        yield f"never if {_said(node.test)}", lambda each: setattr(each, "test", ast.Constant(False))
    elif isinstance(node, ast.BoolOp):
        word = " and " if isinstance(node.op, ast.And) else " or "
        for number, value in enumerate(node.values):
            yield f"without{word}{_said(value)}", _without("values", number)
    elif isinstance(node, ast.comprehension):
        for number, condition in enumerate(node.ifs):
            yield f"also if not {_said(condition)}", _without("ifs", number)
    elif isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.Set | ast.List | ast.Tuple):
        yield from _of_elements(node, parent)
    elif isinstance(node, ast.Dict) and len(node.keys) > 1:
        for number, key in enumerate(node.keys):
            yield f"without {_said(key or node.values[number])}", _without("keys", number, "values")
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom | ast.Call):
        nothing = "(yield from ())" if isinstance(node.value, ast.Yield | ast.YieldFrom) else "None"
        rest = ast.parse(nothing, mode="eval").body
        yield f"without {_said(node.value)}", lambda each: setattr(each, "value", rest)
    elif isinstance(node, ast.AugAssign):
        yield f"without {_said(node)}", _same_again
    elif isinstance(node, ast.Call) and _said(node.func) == "re.compile":
        yield from _of_pattern(node)


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, Change]]:
    listed = isinstance(node.left, ast.List | ast.ListComp) or isinstance(node.right, ast.List | ast.ListComp)
    if isinstance(node.op, ast.Sub | ast.BitOr | ast.BitAnd) or (isinstance(node.op, ast.Add) and listed):
        yield f"without operand {_said(node.right)}", lambda each: _become(each, "left")
        if not isinstance(node.op, ast.Sub):
            yield f"without operand {_said(node.left)}", lambda each: _become(each, "right")


def _of_elements(node: ast.Set | ast.List | ast.Tuple, parent: ast.AST) -> Iterator[tuple[str, Change]]:
    constant = all(isinstance(each, ast.Constant) for each in node.elts)
    if isinstance(node, ast.Tuple) and (not constant or isinstance(parent, FORMS)) and not _starred(node):
        return
    if len(node.elts) > 1 and not isinstance(getattr(node, "ctx", None), ast.Store):
        for number, each in enumerate(node.elts):
            yield f"without element {_said(each)}", _without("elts", number)


def _starred(node: ast.Tuple) -> bool:
    return any(isinstance(each, ast.Starred) for each in node.elts)


def _of_pattern(node: ast.Call) -> Iterator[tuple[str, Change]]:
    """Every alternative of a regular expression is a rule of its own, at any depth."""
    if not isinstance(node.args[0], ast.Constant):
        return
    pattern = node.args[0].value
    for start, end in alternatives(pattern):
        rest = (
            pattern[:start] + pattern[end + 1 :]
            if pattern[end : end + 1] == "|"
            else pattern[: start - 1] + pattern[end:]
        )
        yield f"without alternative {pattern[start:end]}", lambda each, rest=rest: setattr(each.args[0], "value", rest)


def alternatives(pattern: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of every alternative of every group that has several."""
    inside, groups, skipped = 0, [[0]], False
    for place, letter in enumerate(pattern):
        if skipped or (inside and letter not in "\\]"):
            skipped = False
        elif letter == "\\":
            skipped = True
        elif letter in "[]":
            inside = letter == "["
        elif letter == "(":
            prefix = re.match(r"\?(?:[a-zA-Z]+:|[:=!]|<[=!])?", pattern[place + 1 :])
            groups.append([place + 1 + (prefix.end() if prefix else 0)])
        elif letter == "|":
            groups[-1].append(place + 1)
        elif letter == ")":
            yield from _spans(groups.pop(), place)
    yield from _spans(groups.pop(), len(pattern))


def _spans(begins: list[int], end: int) -> Iterator[tuple[int, int]]:
    if len(begins) > 1:
        yield from zip(begins, [begin - 1 for begin in begins[1:]] + [end], strict=True)


def _without(field: str, number: int, *more: str) -> Change:
    def change(node: ast.AST) -> None:
        for each in (field, *more):
            parts = getattr(node, each)
            del parts[number]
        if isinstance(node, ast.BoolOp) and len(node.values) == 1:
            node.values *= 2

    return change


def _become(node: ast.AST, side: str) -> None:
    """Let an operation be one of its operands: `x or x`, because a node cannot be replaced from within."""
    assert isinstance(node, ast.BinOp)
    kept = getattr(node, side)
    node.__class__ = ast.BoolOp  # type: ignore[assignment]
    node.__dict__.update(op=ast.Or(), values=[kept, kept])


def _same_again(node: ast.AST) -> None:
    assert isinstance(node, ast.AugAssign)
    target = node.target
    node.__class__ = ast.Expr  # type: ignore[assignment]
    node.__dict__.update(value=ast.Constant(None), kept=target)


def _said(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:SHOWN]


def put(module: ModuleType, tree: ast.Module) -> None:
    """Make the running module what the tree says: every reference to its functions and constants sees the change."""
    fresh = ModuleType(module.__name__)
    fresh.__file__ = module.__file__
    exec(compile(tree, str(module.__file__), "exec"), fresh.__dict__)
    for name, new in list(vars(fresh).items()):
        old = vars(module).get(name)
        if isinstance(old, FunctionType) and isinstance(new, FunctionType):
            _graft(old, new)
        elif isinstance(old, type) and isinstance(new, type) and old.__module__ == module.__name__:
            _graft_class(old, new)
        elif isinstance(new, dict | set | frozenset | tuple | list | str | re.Pattern) and new != old:
            _rebind(old, new)


def _graft(old: FunctionType, new: FunctionType) -> None:
    old, new = inspect.unwrap(old), inspect.unwrap(new)
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__


def _graft_class(old: type, new: type) -> None:
    for name, value in vars(new).items():
        before = vars(old).get(name)
        if isinstance(before, property) and isinstance(value, property):
            before, value = before.fget, value.fget
        if isinstance(before, FunctionType) and isinstance(value, FunctionType) and not name.startswith("__"):
            _graft(before, value)


def _rebind(old: Any, new: Any) -> None:
    for module in list(sys.modules.values()):
        if module.__name__.partition(".")[0] in {"rollbacks", "tests", "benchmarks"}:
            for name, value in list(vars(module).items()):
                if value is old and not name.startswith("__"):
                    setattr(module, name, new)
