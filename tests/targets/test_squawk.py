"""The second opinion: squawk itself, on what it can and cannot read, and every way in which it can fail to answer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rollbacks.adapters import squawk
from rollbacks.adapters.squawk import LEFT_OUT, Finding, Opinion, second_opinion


def opinion_on(sql: str, **environ: str) -> Opinion:
    return second_opinion(sql, major=18, environ={**os.environ, **environ})


def places(sql: str) -> list[tuple[int, str]]:
    found = opinion_on(sql)
    assert found.missing == ""
    return [(each.line, each.rule) for each in found.findings]


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "squawk"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_findings_stand_on_the_lines_of_the_sql_counted_from_one() -> None:
    sql = (
        "-- Rücknahme, zwei Zeilen\n\nDROP TABLE notes;\nALTER TABLE people\n  DROP COLUMN a,\n  DROP COLUMN b;\r\n"
        "/* é\n */ DROP VIEW seen; DROP TYPE mood;"
    )
    assert places(sql) == [
        (3, "ban-drop-table"), (5, "ban-drop-column"), (6, "ban-drop-column"), (8, "ban-drop-view"), (8, "ban-drop-type"),
    ]  # fmt: skip
    assert opinion_on("DROP TABLE notes;").findings == (
        Finding(1, "ban-drop-table", "warning", "Dropping a table may break existing clients."),
    )


def test_what_is_noise_in_one_signed_transaction_is_left_out() -> None:
    noise = """
        CREATE INDEX a_b ON a (b);
        DROP INDEX c_d;
        ALTER TABLE a ADD COLUMN e integer, ADD COLUMN f varchar(3), ADD COLUMN g timestamp, ADD COLUMN h char(2);
        CREATE TABLE i (j serial, k smallint);
        CREATE DOMAIN l AS text CHECK (value <> '');
    """
    assert places(noise) == []
    assert all(LEFT_OUT.values())


def test_a_comment_cannot_silence_it() -> None:
    for comment in ("-- squawk-ignore-file", "-- squawk-ignore ban-drop-table", "/* squawk-ignore ban-drop-table */"):
        assert places(f"{comment}\nDROP TABLE notes;") == [(2, "ban-drop-table")]


def test_a_settings_file_cannot_silence_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".squawk.toml").write_text('excluded_rules = ["ban-drop-table"]')
    monkeypatch.chdir(tmp_path)
    assert places("DROP TABLE notes;") == [(1, "ban-drop-table")]


def test_the_server_s_version_is_taken_into_account() -> None:
    sql = "ALTER TABLE a ADD COLUMN b bigint DEFAULT 1;"
    old = second_opinion(sql, major=10, environ=os.environ)
    assert [each.rule for each in old.findings] == ["adding-field-with-default"]
    assert places(sql) == [] == list(second_opinion(sql, major=None, environ=os.environ).findings)


def test_what_only_postgresql_can_read_is_said() -> None:
    found = opinion_on("DROP TABLE notes;\n\nNOT A STATEMENT;")
    assert found == Opinion((), "no second opinion: squawk cannot read line 3, which PostgreSQL can.")


def test_a_flood_of_findings_is_cut_and_said() -> None:
    found = opinion_on("DROP TABLE a;\n" * 201)
    assert len(found.findings) == 200
    assert "201 findings and the first 200 are kept" in found.missing


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("kill -9 $$", "no second opinion: squawk ended with SIGKILL."),
        ("exit 7", "no second opinion: squawk ended with exit code 7."),
        ("echo oops; exit 1", "no second opinion: squawk's answer cannot be read."),
        ("echo '{\"line\": 1}'", "no second opinion: squawk's answer cannot be read."),
        ("echo '[{\"line\": null}]'", "no second opinion: squawk's answer cannot be read."),
        ("printf '\\377'", "no second opinion: squawk's answer cannot be read."),
        ("true", "no second opinion: squawk's answer cannot be read."),
        ("cat /dev/zero", "no second opinion: squawk said more than 4 MiB."),
    ],
)
def test_a_program_that_fails_gives_a_sentence(tmp_path: Path, script: str, says: str) -> None:
    assert opinion_on("DROP TABLE notes;", SQUAWK=program(tmp_path, script)) == Opinion((), says)


def test_a_missing_program_gives_a_sentence(tmp_path: Path) -> None:
    found = opinion_on("DROP TABLE notes;", SQUAWK=str(tmp_path / "none"))
    assert found.findings == ()
    assert found.missing.startswith("no second opinion: squawk cannot be started (No such file or directory)")
    assert "requirements" in found.missing


@pytest.mark.parametrize("script", ["sleep 60", "sleep 60 &"], ids=["itself", "what it started"])
def test_a_program_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The shell's own child keeps the output open, so ending the shell alone would not do."""
    monkeypatch.setattr(squawk, "WALL_SECONDS", 0.5)
    began = time.monotonic()
    found = opinion_on("DROP TABLE notes;" * 10_000, SQUAWK=program(tmp_path, script))
    assert found == Opinion((), "no second opinion: squawk took longer than 0.5 s.")
    assert time.monotonic() - began < 20


def test_it_is_told_nothing_of_the_worker_s_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NZILA_DIRECT_DATABASE_URL", "secret")
    seen = tmp_path / "seen"
    opinion_on("SELECT", SQUAWK=program(tmp_path, f"/usr/bin/env > {seen}"))
    assert "NZILA" not in seen.read_text()
