"""What is refused before anybody reads it, and what forward SQL, which ran already, may hold."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollbacks.reversal import parse
from rollbacks.reversal.assess import assess

LONG = "projects_members_invitations_invited_by_organisation_member_id_users_id_fk"
UNREVIEWABLE = {
    "a zero-width joiner": ("SELECT 1;\nSELECT 'a\u200db'", r"Line 2 \(byte 19\).*U\+200D"),
    "a direction override": ("DROP TABLE \u202eevil", r"Line 1 \(byte 11\).*U\+202E"),
    "a byte order mark": ("\ufeffSELECT 1", r"Line 1 \(byte 0\).*U\+FEFF"),
    "a Cyrillic letter among Latin ones": ("DROP TABLE \u0430ccounts", r"byte 11.*Latin and Cyrillic"),
    "a space at a name's end": ('DROP TABLE "accounts "', "space at its end"),
    "a name that is cut": (f"ALTER TABLE t DROP CONSTRAINT {LONG}", "has a name of 74 bytes and PostgreSQL keeps 63"),
    "a line nobody reads": ("SELECT 1;\nSELECT '" + "x" * 100_001 + "'", "Line 2 has"),
    "a password": ("SELECT 1;\nALTER ROLE r PASSWORD 'hunter2'", "seems to hold a secret"),
    "a whole dump": ("--\n-- PostgreSQL database dump\n--\nSELECT 1", "plain dump of pg_dump"),
    "a quoted name that is cut": (f'DROP TABLE "{LONG}"', "has a name of 74 bytes"),
    "a name of letters that take two bytes": (f"DROP TABLE {'é' * 32}", "has a name of 64 bytes"),
    "a key": ("SELECT '-----BEGIN RSA PRIVATE KEY-----'", "seems to hold a secret"),
    "a key of a cloud": ("SELECT 'AKIAABCDEFGHIJKLMNOP'", "seems to hold a secret"),
    "a token": ("SELECT 'ghp_" + "a1" * 16 + "'", "seems to hold a secret"),
    "too much": ("SELECT '" + "x\n" * 600_000 + "'", "larger than 1 MiB"),
    **{
        f"a name of two scripts, one {script}": (f"DROP TABLE {letters}", f"mixes the letters of .*{script}")
        for script, letters in {
            "Latin": "aа",
            "Cyrillic": "аο",
            "Greek": "oο",
            "Armenian": "oօ",
            "Cherokee": "AᎪ",
            "Fullwidth": "aａ",
            "Mathematical": "a𝐚",
        }.items()
    },
    "a bad name after a comment": ("/* c */ DROP TABLE аccounts", "Latin and Cyrillic"),
    "a bad name after a dollar quote": ("SELECT $q$x$q$; DROP TABLE аccounts", "Latin and Cyrillic"),
    "a bad name between two that hold quotes": (
        """SELECT "it's"; DROP TABLE аccounts; SELECT "it's";""",
        "Latin and Cyrillic",
    ),
    "a bad name that is left open": ("""DROP TABLE "it's аccounts""", "Latin and Cyrillic"),
    "a surrogate in a name": ('DROP TABLE "a\ud800"', r"byte 13.*U\+D800"),
    "a surrogate": ("SELECT '\ud800'", r"byte 8.*U\+D800"),
    "a NUL": ("SELECT 'é\x00'", r"byte 10.*U\+0000"),
}


@pytest.mark.parametrize("name", UNREVIEWABLE)
def test_text_that_nobody_can_review_is_refused_with_its_place(name: str) -> None:
    sql, sentence = UNREVIEWABLE[name]
    with pytest.raises(parse.Unreadable, match=sentence):
        assess(sql, audit_tables=())


def test_a_secret_is_not_echoed() -> None:
    with pytest.raises(parse.Unreadable) as caught:
        assess("ALTER ROLE r PASSWORD 'hunter2'", audit_tables=())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        f"ALTER TABLE t ADD CONSTRAINT {LONG} FOREIGN KEY (a) REFERENCES u(id)",
        "INSERT INTO emoji VALUES ('\U0001f468\u200d\U0001f469')",
        "INSERT INTO t VALUES ('" + "x" * 200_000 + "')",
        "CREATE ROLE app PASSWORD 'x'",
        "-- PostgreSQL database dump\nCREATE TABLE t (a int)",
    ],
    ids=["long name", "joined emoji", "long line", "password", "from a dump"],
)
def test_forward_sql_that_ran_is_read_whatever_it_looks_like(sql: str) -> None:
    assert len(parse.read(sql)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'аccounts', 'mixed а and a'",
        'DROP TABLE "счета"',
        f"DROP TABLE {'a' * 63}",
        "SELECT '" + "x" * 90 + "it''s', $q$" + "y" * 90 + "'$q$, E'" + "z" * 90 + "\\''",
        'DROP TABLE "a ""b"""',
        "SELECT 1 /* " + "x" * 90 + " */ + $1",
        "SELECT a$" + "b" * 10,
        "SELECT 'x' -- ' " + "y" * 90 + "\n, 'z'",
        "INSERT INTO t VALUES (E'it\\'s', '{\"a \": 1}')",
        "SELECT 1 -- mixes аbc\n",
        'DROP TABLE "it\'s"; DROP TABLE "Größe"',
        "DROP TABLE \"it's\"; SELECT 'mixes аb'",
        "SELECT E'it''s \\' " + "z" * 90 + "'",
        'DROP TABLE "名前（old）"',
    ],
)
def test_what_only_looks_like_a_deceiving_name_is_let_through(sql: str) -> None:
    assert assess(sql, audit_tables=()).statements


@pytest.mark.parametrize("opening", ["/* ", "$q$ ", "E'", "E'it''s \\'", "'"])
def test_what_is_left_open_is_the_parsers_to_refuse(opening: str) -> None:
    with pytest.raises(parse.Unreadable, match="unterminated"):
        assess(f"SELECT 1, {opening}{'y' * 90}", audit_tables=())


@pytest.mark.parametrize("command", [r"\d", r"\!", r"\?", r"\."])
def test_a_psql_command_is_called_one(command: str) -> None:
    with pytest.raises(parse.Unreadable, match="Line 3 holds a psql command"):
        parse.read(f"SELECT 1;\n\n  {command}\nSELECT 2")


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [("SELECT '\x00'", r"U\+0000"), ("SELECT '" + "é" * 600_000 + "'", "1 MiB"), ("SELECT 1;" * 2_001, "has 2001 statements")],
    ids=["a NUL", "too large", "too many"],
)  # fmt: skip
def test_what_is_too_much_for_the_parser_is_refused_of_forward_sql_too(sql: str, sentence: str) -> None:
    with pytest.raises(parse.Unreadable, match=sentence):
        parse.read(sql)


def test_a_statement_is_found_at_its_place_among_comments() -> None:
    sql = "/* é /* nested */ */ SELECT 1 ;;\n-- é\n\n /* a */ DROP TABLE é\n;--> statement-breakpoint\n(SELECT 2)\n-- end\n;"
    found = parse.read(sql)
    assert [(each.text, each.line) for each in found] == [
        ("SELECT 1", 1),
        ("DROP TABLE é", 4),
        ("(SELECT 2)\n-- end", 6),
    ]
    assert [sql[each.start : each.end] for each in found] == [each.text for each in found]


def test_texts_are_read_in_groups_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "GROUP_CHARACTERS", 10)
    texts = ["d" * 20, "aaaaa", "bbbbb", "c", "e" * 20]
    assert list(parse._groups(texts)) == [["d" * 20], ["aaaaa", "bbbbb"], ["c"], ["e" * 20]]


def test_the_child_has_limits_of_cpu_memory_and_core() -> None:
    limits = "[resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_CORE)]"
    program = f"import resource, runpy\nrunpy.run_path({str(parse.CHILD)!r}, run_name='__main__')\nprint({limits})"
    done = subprocess.run([sys.executable, "-I", "-c", program], input=b"[]", capture_output=True, check=True)
    memory = 1_500 * 1024 * 1024
    assert done.stdout.decode() == f"[][(5, 5), ({memory}, {memory}), (0, 0)]\n"


def test_the_child_imports_nothing_from_the_callers_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert parse.read("SELECT 'read in isolation'")


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("SELECT 1;\n--> statement-breakpoint\nSELECT 2;", ()),
        ("SELECT 1;--> statement-breakpoint\nSELECT 2;", ()),
        ("SELECT 'a\n--> statement-breakpoint\nb';", (2,)),
        ("DO $$ BEGIN\n--> statement-breakpoint\nNULL; END $$;", (2,)),
        ("SELECT 1\n--> statement-breakpoint\n+ 1; SELECT '--> statement-breakpoint'", (2, 3)),
    ],
)
def test_a_breakpoint_inside_a_statement_is_found(sql: str, lines: tuple[int, ...]) -> None:
    assert parse.breakpoint_conflicts(sql) == lines
    assert tuple(each.line for each in assess(sql, audit_tables=()).refusals if each.code == "breakpoint") == lines


@pytest.mark.parametrize(
    "sql",
    ["SELECT " + "(" * 20_000 + "1" + ")" * 20_000, "SELECT " + "1+" * 30_000 + "1", "SELECT 1" + " UNION SELECT 1" * 10_000],
    ids=["parentheses", "sum", "union"],
)  # fmt: skip
def test_deep_nesting_does_not_kill_the_caller(sql: str) -> None:
    with contextlib.suppress(parse.Unreadable):
        assess(sql, audit_tables=())
    assert len(parse.read("SELECT 1")) == 1


@pytest.mark.parametrize(
    "piece", ["/*", "a$b$c,", "'\n", '"', "$a$ $b$\n", "E'\\'", "--", "password '", "-----BEGIN ", "$"]
)
def test_no_text_holds_the_checks_up(piece: str) -> None:
    """They run in the web process, before the child and without its limits."""
    begun = time.process_time()
    with contextlib.suppress(parse.Unreadable):
        parse.refuse_unreviewable("\n".join([piece * (40_000 // len(piece))] * 20))
    assert time.process_time() - begun < 3


def test_what_was_read_lately_is_not_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parse, "_READ", parse._Lately())
    first = parse.read("DROP TABLE lately")
    with pytest.raises(parse.Unreadable, match="LATELY"):
        parse.read("DROP LATELY")
    monkeypatch.setattr(parse, "CHILD", tmp_path / "none")
    assert parse.read_many(["DROP TABLE lately", "DROP TABLE lately"]) == [first, first]
    with pytest.raises(parse.Unreadable, match="LATELY"):
        parse.read("DROP LATELY")
    for _ in range(2):
        with pytest.raises(parse.Unreadable, match="gave up"):
            parse.read("DROP TABLE never_read")


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    lately = parse._Lately()
    monkeypatch.setattr(parse, "KEPT_CHARACTERS", 100)
    monkeypatch.setattr(parse, "KEPT_TEXTS", 4)
    for text in ("a" * 40, "b" * 40, "a" * 40, "c" * 40):
        lately.keep(text, ())
        lately.get("a" * 40)
    assert [lately.get(letter * 40) for letter in "abc"] == [(), None, ()]
    for text in "defg":
        lately.keep(text, ())
    assert [lately.get(text) for text in ("a" * 40, "c" * 40, "d", "e", "f", "g")] == [None, None, (), (), (), ()]
    lately.keep("h" * 101, ())
    assert lately.get("h" * 101) is None


def test_a_text_that_the_parser_cannot_cope_with_leaves_the_others_of_its_group_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parse, "_READ", parse._Lately())
    deep = "SELECT " + "1+" * 30_000 + "1"
    with pytest.raises(parse.Unreadable, match="gave up"):
        parse.read_many(["DROP TABLE before_it", deep])
    assert parse._READ.get("DROP TABLE before_it") and parse._READ.get(deep) is None


@pytest.mark.parametrize(
    ("block", "kinds"),
    [
        ("DO $$ BEGIN NULL; END $$", []),
        ("DO LANGUAGE plpgsql $$ BEGIN DROP TABLE a; END $$", ["drop_stmt"]),
        ("SELECT 'é'; DO $$ BEGIN IF EXISTS (SELECT 1 FROM a) THEN UPDATE a SET b = 1; END IF; END $$; SELECT 2",
         ["select_stmt", "update_stmt"]),
        ("DO $$ DECLARE n integer; BEGIN n := f(); PERFORM g(); SELECT 1 INTO n; END $$", ["select_stmt"] * 3),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$", ["select_stmt", "drop_stmt"]),
        ("DO $$ DECLARE c CURSOR FOR SELECT 1; BEGIN OPEN c; END $$", ["select_stmt"]),
    ],
)  # fmt: skip
def test_a_block_is_looked_into(block: str, kinds: list[str]) -> None:
    (found,) = (each for each in parse.read(block) if each.kind == "do_stmt")
    assert found.inside is not None
    assert sorted(each.kind for each in found.inside) == sorted(kinds)
    assert {(each.line, each.text) for each in found.inside} <= {(found.line, found.text)}


@pytest.mark.parametrize(
    "block",
    [
        "DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident('a'); END $$",
        "DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE format('SELECT %s', 1) LOOP NULL; END LOOP; END $$",
        "DO $$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE format('SELECT %s', 1); END $$",
        "DO LANGUAGE plperl 'BEGIN END'",
        "DO 'this is no PL/pgSQL'",
        "DO 'BEGIN this is no SQL; END'",
        "SELECT 1",
    ],
)
def test_what_is_in_a_block_is_not_guessed(block: str) -> None:
    (found,) = parse.read(block)
    assert found.inside is None


def test_a_block_that_cannot_be_told_hides_no_other() -> None:
    unknown, told = parse.read("DO $$ BEGIN EXECUTE 'DROP TABLE ' || f(); END $$; DO $$ BEGIN DROP TABLE a; END $$")
    assert unknown.inside is None
    assert told.inside and [each.kind for each in told.inside] == ["drop_stmt"]


def test_a_block_that_cannot_be_looked_into_is_no_reason_to_refuse_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = parse._ask_child

    def fail_unless_outside(texts: list[str], *options: str) -> list[dict[str, object]]:
        if "--outside" not in options:
            raise parse.Unreadable("The SQL cannot be analysed.")
        return ask(texts, *options)

    monkeypatch.setattr(parse, "_ask_child", fail_unless_outside)
    found, _ = parse.read("DO $$ BEGIN NULL; END $$; SELECT 'looked at from outside'")
    assert found.kind == "do_stmt" and found.inside is None
    with pytest.raises(parse.Unreadable):
        parse.read("SELECT 'without a block'")
