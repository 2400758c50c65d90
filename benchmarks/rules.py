"""Whether removing any one rule of the engine makes a test fail: python -m benchmarks.rules writes benchmarks/rules.md.

It runs inside one pytest session on services of its own: every removal is put into a fork of it, in which the tests
that come to its lines run, the quickest first, until one fails.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import gc
import inspect
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from benchmarks.equivalents import EQUIVALENTS
from benchmarks.kept_ways import kept_ways
from benchmarks.removals import Removal, put, removals
from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal import parse

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "rollbacks" / "reversal"
OUTPUT = Path(__file__).with_name("rules.md")
# What was read of the catalog for the drafts, to be used again.
KEPT = Path(__file__).with_name(".kept")
MODULES = (
    "refusals", "classes", "reach", "assess", "tree", "draft", "changes", "alterations", "ddl", "objects",
    "archive", "written_rows", "drift", "stakes", "questions", "locks", "outlook", "forecast",
    "immutability", "proof", "catalog", "parse", "parser_child",
)  # fmt: skip
PARSER = {"parse", "parser_child"}
TESTS = ("tests/rules/reversal", "tests/rules/test_plan.py", "tests/reversal")
# Their drafts are judged without a server, or they are left to chance.
LEFT_OUT = (
    "test_cases.py", "test_random*.py", "test_fuzz.py", "test_long_chain.py", "*thrown_at_it*",
    "*deep_nesting*", "*holds_the_checks_up*",
)  # fmt: skip
QUICK, SERVER, SURVIVED = "quickly", "by a server test", "survived"
EXITS = {0: SURVIVED, 1: QUICK, 2: SERVER}
VARIABLE = "RULES_OPTIONS"
Line = tuple[str, int]
HEAD = (
    "# What notices when one rule of the engine is gone",
    "",
    "Each condition that never fires, operand of and/or, element of a set of kinds, alternative of a pattern, line that",
    "yields or calls, is taken out alone, and the tests that come to it run until one fails. Quickly: by a draft that is",
    "composed again or a test without a server. Equivalent: nothing that anybody could see changes; the reasons are below.",
    "Regenerate with `python -m benchmarks.rules`, or with some modules' names for their lines only.",
    "",
    f"| module | removed | noticed {QUICK} | noticed {SERVER} | equivalent | not noticed |",
    "|---|---|---|---|---|---|",
)


@dataclass
class Check:
    """Something that notices: a draft that is composed again, or a test. `run` is true when it noticed nothing."""

    name: str
    on_server: bool
    run: Callable[[str], bool]
    lines: set[Line]
    seconds: float = 0.0


def main() -> int:
    """Run this module as a plugin of pytest on throw-away services."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="only these modules; the others keep their lines")
    parser.add_argument("--sample", type=float, default=1.0, help="which part of the rules, 0.1 for every tenth")
    parser.add_argument("--quick", action="store_true", help="without the tests on a server")
    chosen = parser.parse_args()
    tests = TESTS[:1] if chosen.quick else TESTS
    environ = {**os.environ, VARIABLE: json.dumps(vars(chosen))}
    command = [sys.executable, str(ROOT / "dev"), "test", "-p", "benchmarks.rules", "-s", "-q", *tests]
    return subprocess.run(command, env=environ, cwd=ROOT).returncode


@pytest.hookimpl
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try the removals instead of running the tests."""
    # Texts are read once, before the forks.
    parse.KEPT_TEXTS, parse.KEPT_CHARACTERS = 100_000, 100_000_000
    options = json.loads(os.environ[VARIABLE])
    KEPT.mkdir(mode=0o700, exist_ok=True)
    checks = list(_checks(session))
    sources = {path.stem: path.read_text() for path in ENGINE.glob("*.py")}
    found = [each for module in options["modules"] or MODULES for each in removals(module, sources[module])]
    chance = random.Random(7)
    tried = [each for each in found if chance.random() < options["sample"] and each.name not in EQUIVALENTS]
    results = list(_results(tried, checks, sources))
    _say(_summary(results))
    if not options["quick"] and options["sample"] == 1:
        OUTPUT.write_text(_table(results, {each.name for each in found}, _kept_lines(options["modules"] or MODULES)))
    return True


def _results(
    tried: Sequence[Removal], checks: Sequence[Check], sources: Mapping[str, str]
) -> Iterator[tuple[Removal, str]]:
    # So that the forks share the memory.
    gc.freeze()
    gc.disable()
    for number, removal in enumerate(tried, 1):
        result = _judged(removal, _noticing(removal, checks, sources))
        if result == SURVIVED:
            _say(f"{number} of {len(tried)}: nothing notices line {removal.line}, {removal.name}")
        yield removal, result
    for module in dict.fromkeys(removal.module for removal in tried):
        _hold_whole(module, checks, sources)


def _hold_whole(module: str, checks: Sequence[Check], sources: Mapping[str, str]) -> None:
    """Check that nothing is noticed where nothing is gone: what a fork leaves behind must not fail the next one."""
    lines = frozenset(range(1, sources[module].count("\n") + 1))
    whole = Removal(module, "", 0, "nothing", ast.parse(sources[module]), lines)
    if _judged(whole, _noticing(whole, checks, sources)) != SURVIVED:
        raise AssertionError(
            f"A test of {module} fails with every rule in its place, so what is said to be noticed may not be."
        )


def _checks(session: pytest.Session) -> Iterator[Check]:
    """Run everything once, with its lines noted."""
    ways = list(kept_ways(Scratch.of(os.environ), KEPT))
    _say(f"{len(ways)} drafts are kept")
    begun = time.perf_counter()
    for way in ways:
        yield _timed(
            Check(way.name, False, lambda module, way=way: way.holds(read_again=module == "objects"), set()), "objects"
        )
    for item in session.items:
        if not any(fnmatch.fnmatch(part, left) for left in LEFT_OUT for part in (item.path.name, item.name)):
            on_server = not {"scratch", "cluster_url"}.isdisjoint(getattr(item, "fixturenames", ()))
            yield _timed(Check(item.nodeid, on_server, lambda _module, item=item: _passes(item), set()), "")
    _say(f"every check ran once in {time.perf_counter() - begun:.0f} s")


def _passes(item: pytest.Item) -> bool:
    """Run a test, also by raising what it raises; one that only has parameters is called at once, which takes a hundredth of the time."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if isinstance(item, pytest.Function) and set(inspect.signature(item.obj).parameters) <= set(parameters):
        item.obj(**parameters)
        return True
    # What the whole module shares stays for the next one.
    item.session._setupstate.teardown_exact(item.parent)
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=item.parent))


def _timed(check: Check, module: str) -> Check:
    begun = time.perf_counter()

    def called(frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        path = frame.f_code.co_filename
        if not path.startswith(str(ENGINE)):
            return None
        name = Path(path).stem

        def stepped(inner: FrameType, _event: str, _argument: Any) -> Callable[..., Any]:
            check.lines.add((name, inner.f_lineno))
            return stepped

        check.lines.add((name, frame.f_lineno))
        return stepped

    sys.settrace(called)
    try:
        passed = check.run(module)
    finally:
        sys.settrace(None)
    if not passed:
        raise AssertionError(f"{check.name} fails with every rule in its place")
    if not check.on_server:
        # As the forks will find it: read, and not traced.
        begun = time.perf_counter()
        check.run(module)
    check.seconds = time.perf_counter() - begun
    return check


def _noticing(removal: Removal, checks: Sequence[Check], sources: Mapping[str, str]) -> list[Check]:
    """Return what comes to the removal's lines, or to those that use its constant, the quickest first."""
    lines = _uses(removal.constant, sources) if removal.constant else {(removal.module, line) for line in removal.lines}
    found = [check for check in checks if check.lines & lines]
    if removal.constant and not found:
        # Only others use it, whom nobody watches.
        found = [check for check in checks if any(module == removal.module for module, _ in check.lines)]
    if removal.module in PARSER:
        # Nothing that was read before the fork can be used, and of the others each would have to read.
        found = [check for check in found or checks if "test_parse.py" in check.name]
    return sorted(found, key=lambda check: (check.on_server, check.seconds))


def _uses(constant: str, sources: Mapping[str, str]) -> set[Line]:
    """Return every line of the engine that names the constant, or another constant that is made of it."""
    found: set[Line] = set()
    names, waiting = {constant}, [constant]
    while waiting:
        word = re.compile(rf"\b{waiting.pop()}\b")
        for module, source in sources.items():
            for number, text in enumerate(source.splitlines(), 1):
                if word.search(text):
                    found.add((module, number))
                    made = re.match(r"([A-Z_]+)\b.*=", text)
                    if made and made[1] not in names:
                        names.add(made[1])
                        waiting.append(made[1])
    return found


def _judged(removal: Removal, checks: Sequence[Check]) -> str:
    child = os.fork()
    if not child:
        os._exit(_noticed(removal, checks))
    _, status = os.waitpid(child, 0)
    # One that goes on for ever is noticed as well.
    return EXITS[os.waitstatus_to_exitcode(status)] if os.WIFEXITED(status) else QUICK


def _noticed(removal: Removal, checks: Sequence[Check]) -> int:
    if removal.module in PARSER:
        parse._READ.__init__()  # type: ignore[misc]
    if removal.module == "parser_child":
        # It runs from its file.
        parse.CHILD = KEPT / parse.CHILD.name
        parse.CHILD.write_text(ast.unparse(removal.tree))
    signal.alarm(10)
    try:
        put(import_module(f"rollbacks.reversal.{removal.module}"), removal.tree)
    except Exception:
        return 1
    for check in checks:
        signal.alarm(int(10 + 10 * check.seconds))
        try:
            passed = check.run(removal.module)
        except BaseException:
            passed = False
        if not passed:
            return 2 if check.on_server else 1
    return 0


def _summary(results: Iterable[tuple[Removal, str]]) -> str:
    counts = Counter(result for _, result in results)
    return f"{sum(counts.values())} rules removed, one at a time: {dict(counts)}"


def _kept_lines(tried: Collection[str]) -> list[str]:
    """Return the lines of the table as it is that speak of the modules which are not tried now."""
    spoken = (re.match(r"(?:\| |- `)(\w+)", line) for line in OUTPUT.read_text().splitlines())
    return [each.string for each in spoken if each and each[1] in MODULES and each[1] not in tried]


def _table(results: Sequence[tuple[Removal, str]], names: set[str], kept: Sequence[str]) -> str:
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    for removal, result in results:
        by_module[removal.module][result] += 1
    equivalent = Counter(re.split(r"[.:]", name)[0] for name in EQUIVALENTS if name in names)
    rows = [line for line in kept if line.startswith("|")]
    for module in {re.split(r"[.:]", name)[0] for name in names}:
        found = by_module[module]
        total = sum(found.values()) + equivalent[module]
        rows.append(
            f"| {module} | {total} | {found[QUICK]} | {found[SERVER]} | {equivalent[module]} | {found[SURVIVED]} |"
        )
    rows.sort(key=lambda row: MODULES.index(row.split()[1]))
    told = [line for line in kept if line.startswith("-")]
    survived = [line for line in told if not line.partition("`: ")[2]]
    survived += [f"- `{removal.name}`" for removal, result in results if result == SURVIVED]
    reasons = [line for line in told if line.partition("`: ")[2]]
    reasons += [f"- `{name}`: {EQUIVALENTS[name]}" for name in EQUIVALENTS if name in names]
    left = ["", "## Not noticed", "", *survived] if survived else []
    return "\n".join([*HEAD, *rows, *left, "", "## Equivalent", "", *reasons]) + "\n"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
