"""What the portal computes by itself is what Node, drizzle-kit and drizzle-orm compute."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo import target as demo_target
from rollbacks.drizzle.journal import Layout, file_hash, read_folder, stringify
from rollbacks.drizzle.preflight import Ledger, LedgerRow, violations
from tests.toolchain.drizzle import Drizzle, drizzle

HASHES = """
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const hash = (hex) => require('crypto').createHash('sha256').update(Buffer.from(hex, 'hex').toString()).digest('hex');
console.log(JSON.stringify(cases.map(hash)));
"""
REWRITE = """
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(cases.map((text) => JSON.stringify(JSON.parse(text), null, 2))));
"""
LEDGER = """
    SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_get_indexdef(i.indexrelid)
      FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      LEFT JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey)
     WHERE a.attrelid = 'drizzle.__drizzle_migrations'::pg_catalog.regclass AND a.attnum > 0
     ORDER BY a.attnum
"""
BROKEN: dict[str, Any] = {
    "stray-file": lambda meta: (meta / "README.md").write_text("# notes"),
    "malformed-snapshot": lambda meta: edit(meta / "0002_snapshot.json", lambda content: content.pop("enums")),
    "snapshot-version": lambda meta: edit(meta / "0002_snapshot.json", lambda content: content.update(version="6")),
    "snapshot-collision": lambda meta: (meta / "0005_snapshot.json").write_bytes(
        (meta / "0004_snapshot.json").read_bytes()
    ),
    "falling-when": lambda meta: edit(
        meta / "_journal.json", lambda content: content["entries"][4].update(when=content["entries"][3]["when"])
    ),
}


def edit(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(stringify(content))


def ask_node(toolchain: Drizzle, program: str, cases: list[str]) -> list[str]:
    done = subprocess.run(
        ["node", "-e", program],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        cwd=toolchain.checkout,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers


@pytest.fixture
def plain(checkout: Path) -> Drizzle:
    return drizzle(checkout, "postgresql://nobody@/nowhere?host=/nowhere")


def test_the_fixtures_lock_file_names_hashes_and_no_registry() -> None:
    lock = json.loads((demo_target.MONOREPO / "package-lock.json").read_text())
    packages = [
        each for name, each in lock["packages"].items() if name.startswith("node_modules/") and "link" not in each
    ]
    assert packages and all("integrity" in each and "resolved" not in each for each in packages)


def test_hashes_of_any_bytes_are_those_of_node(plain: Drizzle) -> None:
    source = random.Random(4)
    marks = [
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xc0\xaf",
        b"\r\n",
        b"a",
    ]
    cases = [b"".join(source.choices(marks, k=6)) + source.randbytes(6) for _number in range(500)]
    assert ask_node(plain, HASHES, [case.hex() for case in cases]) == [file_hash(case) for case in cases]


def test_json_is_written_as_node_writes_it(plain: Drizzle) -> None:
    source = random.Random(4)
    texts = ["", "é", "\u2028", "😀", "\x7f\x00\x1f", '"\\/', "a\tb\n", "\ud800", "<script>"]
    values: list[Any] = [None, True, 0, -1, 2**53 - 1, 1795429220638, {}, [], *texts]
    cases = [{source.choice(texts) + "k": source.choice(values), "list": [source.choice(values)]} for _ in range(200)]
    answers = ask_node(plain, REWRITE, [json.dumps(case) for case in cases])
    assert answers == [stringify(case) for case in cases]


def test_migrate_and_our_replay_leave_the_same_ledger(toolchain: Drizzle, empty_url: str) -> None:
    assert Drizzle(toolchain.checkout, empty_url).migrate() == 5
    states = []
    for url in (empty_url, toolchain.url):
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT id, hash, created_at FROM drizzle.__drizzle_migrations").fetchall()
            states.append((connection.execute(LEDGER).fetchall(), rows))
    assert states[0] == states[1]
    assert toolchain.migrate() == 0


def test_migrate_goes_on_after_our_replay_of_the_first_migrations(toolchain: Drizzle, empty_url: str) -> None:
    demo_target.seed(empty_url, until=demo_target.INITIAL)
    assert Drizzle(toolchain.checkout, empty_url).migrate() == 4
    assert toolchain.contract_tests(4)[0] == 0


@pytest.mark.parametrize("code", BROKEN)
def test_what_drizzle_kit_check_complains_of_blocks_a_request(plain: Drizzle, code: str) -> None:
    BROKEN[code](plain.migrations / "meta")
    exit_code, output = plain.check()
    assert exit_code != 0 or "Warning" in output
    found = judged(plain, Layout(out=demo_target.OUT))
    assert found[code] is True


def test_with_the_prefix_none_drizzle_kit_never_reads_its_snapshot_back(plain: Drizzle) -> None:
    for path in plain.migrations.rglob("*"):
        if path.is_file():
            path.unlink()
    (plain.migrations / "meta").rmdir()
    config = plain.checkout / "packages/db/drizzle.config.ts"
    config.write_text(config.read_text().replace("strict: true,", "migrations: { prefix: 'none' },"))
    first = plain.generate("--name", "one")
    again = plain.generate("--name", "two")
    assert set(first.written) == {"_one.sql", "meta/_journal.json", "meta/_snapshot.json"}
    assert again.written["_two.sql"] == first.written["_one.sql"]
    assert judged(plain, Layout(out=demo_target.OUT, prefix="none"))["prefix-none"] is True


def judged(toolchain: Drizzle, layout: Layout) -> dict[str, bool]:
    root = toolchain.migrations
    folder = read_folder({str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()})
    rows = [LedgerRow(each.idx, each.sha256 or "", each.when) for each in folder.migrations]
    ledger = Ledger(True, ("id", "hash", "created_at"), tuple(rows))
    newest = max(each.when for each in folder.migrations)
    return {each.code: each.blocks for each in violations(folder, ledger, layout=layout, now_ms=newest)}
