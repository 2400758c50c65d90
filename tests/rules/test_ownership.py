"""Owners of files by CODEOWNERS, as GitHub reads it."""

from __future__ import annotations

import pytest

from rollbacks.ownership import owners_of

NZILA = """
# The last matching line wins.
*                                   @nzila/engineering
/packages/db/**                     @nzila/platform   # asks @nzila/nobody
/packages/db/drizzle/*audit*        @nzila/platform @nzila/security
/packages/db/drizzle/meta/
"""
AUDIT, PLAIN = "packages/db/drizzle/0004_audit_events_immutable.sql", "packages/db/drizzle/0003_redundant_starfox.sql"

CASES = [
    ("the last matching line counts, not all", NZILA, [AUDIT], ("@nzila/platform", "@nzila/security")),
    ("a comment behind the owners owns nothing", NZILA, [PLAIN], ("@nzila/platform",)),
    ("several paths, each owner once", NZILA, [PLAIN, AUDIT], ("@nzila/platform", "@nzila/security")),
    ("a line without owners takes its paths out", NZILA, ["packages/db/drizzle/meta/_journal.json"], ()),
    ("what no line names", "/docs/ @writer", ["packages/x.sql"], ()),
    ("an empty file", "", [AUDIT], ()),
    ("a folder owns what is below it", "/packages/ @o/all", [AUDIT], ("@o/all",)),
    ("one star stays in its folder", "/packages/* @o/top", [AUDIT], ()),
    ("a pattern without a slash is found anywhere", "*.sql @o/sql", [AUDIT], ("@o/sql",)),
    ("case is kept and matters", "/Packages/ @O/all", [AUDIT], ()),
    ("users and addresses are owners as well", "*.sql @ann ann@example.com", [AUDIT], ("@ann", "ann@example.com")),
    ("a space in a path", "/a\\ b/ @o/s", ["a b/c.sql"], ("@o/s",)),
    ("negation is no syntax of GitHub's", "*.sql @o/a\n!*.sql @o/b", [AUDIT], ("@o/a",)),
    ("nor are character classes, broken ones neither", "*.sql @o/a\n/[p @o/b\n/[p]ackages/ @o/c", [AUDIT], ("@o/a",)),
    ("a line with something that is no owner is skipped", "*.sql @o/a\n*.sql nobody @o/b", [AUDIT], ("@o/a",)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "paths", "owners"), CASES, ids=[case[0] for case in CASES])
def test_owners(name: str, text: str, paths: list[str], owners: tuple[str, ...]) -> None:
    assert owners_of(text, paths) == owners
