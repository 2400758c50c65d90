"""What the drafts of all cases were composed from, kept so that composing them again needs no server."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rollbacks.adapters.scratch import Scratch
from rollbacks.reversal import draft, object_queries, objects
from rollbacks.reversal.objects import Shape
from rollbacks.steps import drafting
from rollbacks.steps.drafting import draft_back_to
from rollbacks.steps.replay import Replay
from tests.reversal.cases import BASE, CASES
from tests.reversal.conftest import LAYOUT, folder_of

Rows = list[tuple[Any, ...]]
Kept = tuple[Mapping[str, Any], Mapping[str, Rows], Mapping[str, Rows]]


@dataclass(frozen=True)
class Way:
    """One migration to undo: what compose was given, and what the tests hold its draft to.

    The catalog rows of its shapes are in the file. A mirrored draft's class is in no test.
    """

    name: str
    given: Mapping[str, Any]
    path: Path
    text: str
    reapply: tuple[str, ...]
    cls: str

    def holds(self, *, read_again: bool) -> bool:
        """Tell whether the draft is what it was; `read_again` makes its shapes from their catalog rows first."""
        given = dict(self.given)
        if read_again:
            _, now, wanted = pickle.loads(self.path.read_bytes())
            given |= {"now": _shape_of(now), "wanted": _shape_of(wanted)}
        found = draft.compose(**given)
        # Which of the renames can be taken back was said by the server; what it would say of others is not known.
        taken = [each.sql for each in self.given["renames"]]
        renames = [each.sql for each in draft.renames_back(self.given["forward"]) if each.sql in taken]
        return (found.text, found.reapply, renames) == (self.text, self.reapply, taken) and self.cls in {"", found.cls}


class _Kept:
    """A connection that knows the rows of one moment."""

    def __init__(self, rows: Mapping[str, Rows]) -> None:
        self.rows = rows
        self.query = ""

    def transaction(self) -> Any:
        return nullcontext()

    def execute(self, query: str, _parameters: Any = None) -> _Kept:
        self.query = query
        return self

    def fetchall(self) -> Rows:
        return self.rows[self.query]


class _Keeping(_Kept):
    """A connection that keeps the rows of what it is asked."""

    def __init__(self, connection: objects.Connection) -> None:
        super().__init__({})
        self.kept: dict[str, Rows] = {}
        self.connection = connection

    def transaction(self) -> Any:
        return self.connection.transaction()

    def execute(self, query: str, parameters: Any = None) -> Any:
        found = self.connection.execute(query.encode(), parameters)
        if found.description is not None:
            self.kept[query] = found.fetchall()
        self.rows, self.query = self.kept, query
        return self


def _shape_of(rows: Mapping[str, Rows]) -> Shape:
    return objects.read_shape(_Kept(rows), ignore_schemas=("drizzle",))  # type: ignore[arg-type]


@contextmanager
def _keeping(ways: list[drafting._Way], kept: dict[int, Mapping[str, Rows]]) -> Iterator[None]:
    shape, drafted = drafting._shape, drafting._Way.draft
    shapes = []

    def keeping_shape(state: Replay) -> Shape:
        line = _Keeping(state.connection)
        found = objects.read_shape(line, ignore_schemas=("drizzle",))  # type: ignore[arg-type]
        shapes.append(found)
        kept[id(found)] = line.kept
        return found

    def keeping_draft(way: drafting._Way) -> draft.Draft:
        ways.append(way)
        return drafted(way)

    drafting._shape, drafting._Way.draft = keeping_shape, keeping_draft  # type: ignore[method-assign]
    try:
        yield
    finally:
        drafting._shape, drafting._Way.draft = shape, drafted  # type: ignore[method-assign]


def kept_ways(scratch: Scratch, folder: Path) -> Iterator[Way]:
    """Draft every case, and the draft itself as a migration, as tests/reversal/test_cases.py does.

    What was read of the catalog stays in the folder until the case or the reading is another.
    """
    reading = b"".join(Path(module.__file__ or "").read_bytes() for module in (objects, object_queries, drafting))
    for case in CASES:
        key = hashlib.sha256(f"{BASE}{case.forward}".encode() + reading).hexdigest()
        paths = [folder / f"{key}.{kind}" for kind in ("straight", "mirrored")]
        if not all(path.exists() for path in paths):
            for path, kept in zip(paths, _read(scratch, case.forward), strict=True):
                path.write_bytes(pickle.dumps(kept))
        yield _way(case.name, paths[0], cls=case.cls)
        yield _way(f"mirrored {case.name}", paths[1], cls="")


def _read(scratch: Scratch, forward: str) -> list[Kept]:
    straight, *_ = _read_newest(scratch, [BASE, forward])
    bare = draft.compose(**{**straight[0], "label": None}).text
    return [straight, _read_newest(scratch, [BASE, forward, bare])[0]]


def _read_newest(scratch: Scratch, forwards: list[str]) -> list[Kept]:
    ways: list[drafting._Way] = []
    kept: dict[int, Mapping[str, Rows]] = {}
    before = f"{len(forwards) - 2:04d}_m{len(forwards) - 2}"
    with _keeping(ways, kept):
        draft_back_to(scratch, folder_of(forwards), LAYOUT, return_to=before, label="rb1")
        return [({each.name: getattr(way, each.name) for each in fields(way)}, kept[id(way.now)], kept[id(way.wanted)])
                for way in ways]  # fmt: skip


def _way(name: str, path: Path, *, cls: str) -> Way:
    # Written by the lines above.
    given, _, _ = pickle.loads(path.read_bytes())
    found = draft.compose(**given)
    return Way(name, given, path, found.text, found.reapply, cls)
