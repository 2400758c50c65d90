"""What a server said is kept without values of rows (F31), and a refused sign-in is told from an absent server (F09)."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rollbacks.adapters import target as targets
from rollbacks.adapters.server_errors import one_sentence
from tests.conftest import TargetDatabase

VALUE = "ada@example.com"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (f"SELECT '{VALUE}'::int", "invalid input syntax for type integer: “…” (SQLSTATE 22P02)."),
        (f"""SELECT 'say "{VALUE}" twice "'::int""", "invalid input syntax for type integer: “…” (SQLSTATE 22P02)."),
        (f"SELECT '{VALUE}'::date", "invalid input syntax for type date: “…” (SQLSTATE 22007)."),
        ("SELECT '99999999999'::int", "value “…” is out of range for type integer (SQLSTATE 22003)."),
        ("SELECT convert_from('\\xc328'::bytea, 'UTF8')", "byte sequence for encoding “…”: 0x… (SQLSTATE 22021)."),
        ("SELECT 'abcdef'::varchar(3)::int", "invalid input syntax for type integer: “…” (SQLSTATE 22P02)."),
        ("SELECT 1 / 0", "division by zero (SQLSTATE 22012)."),
        (
            f"DO $$ BEGIN RAISE EXCEPTION 'no: %', '{VALUE}'; END $$",
            "A DO block (line 1) raised an exception; its text",
        ),
        ("SELECT pg_temp.guard(1)", "The function pg_temp_"),
        (f"INSERT INTO kept VALUES (1, '{VALUE}'), (1, '{VALUE}')", 'unique constraint "kept_pkey".'),
        ("INSERT INTO kept VALUES (1, NULL)", 'null value in column "mail" of relation "kept"'),
        ("SELECT nothing", 'column "nothing" does not exist.'),
    ],
)
def test_no_value_of_a_row_is_repeated(nzila: TargetDatabase, statement: str, says: str) -> None:
    with nzila.connect() as line:
        line.execute(
            "CREATE TEMP TABLE kept (id int PRIMARY KEY, mail text NOT NULL);"
            f"CREATE FUNCTION pg_temp.guard(a int) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE ''{VALUE}''; END'"
        )
        with pytest.raises(psycopg.Error) as refused:
            line.execute(statement)
    sentence = one_sentence(refused.value)
    assert says in sentence and VALUE not in sentence and "9999" not in sentence and "c3" not in sentence


@pytest.mark.parametrize(
    "changes", [{"user": "nobody_here"}, {"dbname": "nothing_here"}, {"sslmode": "verify-full", "host": "127.0.0.1"}]
)
def test_a_sign_in_that_is_refused_is_not_an_absent_server(nzila: TargetDatabase, changes: dict[str, str]) -> None:
    parameters = psycopg.conninfo.conninfo_to_dict(make_conninfo(nzila.url, **changes))
    credentials = targets.Credentials("shop", {key: str(value) for key, value in parameters.items()})
    with pytest.raises(targets.Unreachable) as refused:
        targets.connect(credentials)
    assert isinstance(refused.value, targets.Rejected) is (changes.get("host") is None)
