"""The front end's files: what is vendored is what its manifest says, and no page needs what the policy forbids."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.template import engines
from django.template.loader import get_template

from approvals.policy import Choice
from approvals.policy import State as Judged
from approvals.roles import ROLES
from portal.templatetags import visible_text, wording
from recoveries.models import Recovery
from recoveries.states import State as RecoveryState
from recoveries.steps import STEPS as RECOVERY_STEPS
from rollbacks.states import RunState, State

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
# An e-mail is no page: it has neither our style sheet nor our policy, so it brings its few styles with it.
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "mail")
MANIFEST: list[dict[str, Any]] = json.loads((VENDOR / "manifest.json").read_text())["files"]
LICENCES = {"MIT"}


def render(template: str, /, **context: Any) -> str:
    return engines["django"].from_string(template).render(context)


def test_every_vendored_file_is_in_the_manifest_and_nothing_else_is() -> None:
    present = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert present - {"manifest.json"} == {entry["file"] for entry in MANIFEST}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_a_vendored_file_has_the_hash_version_and_licence_of_the_manifest(entry: dict[str, Any]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert entry["version"] and entry["licence"] in LICENCES
    assert all(each["licence"] in LICENCES for each in entry.get("bundled", []))


@pytest.mark.parametrize(
    "entry", [entry for entry in MANIFEST if "licence_file" in entry], ids=lambda entry: entry["file"]
)
def test_the_licence_text_of_everything_bundled_lies_beside_it(entry: dict[str, Any]) -> None:
    text = (VENDOR / entry["licence_file"]).read_text()
    for name in {each["name"] for each in entry.get("bundled", [])} or {entry["name"]}:
        assert f"{name}\n{'=' * len(name)}\n" in text
    assert "Permission is hereby granted" in text and "Copyright" in text


def test_the_lock_of_the_vendored_packages_has_hashes_and_no_address() -> None:
    text = (ROOT / "tools" / "vendor" / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for path, entry in packages.items() if path)
    wanted = json.loads((ROOT / "tools" / "vendor" / "package.json").read_text())["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_has_no_inline_script_style_or_handler(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style\b|\sstyle\s*=", text)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    assert not re.search(r"javascript:|hx-on|hx-vals=['\"]js:", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_compiles_and_loads_nothing_from_elsewhere(path: Path) -> None:
    get_template(path.relative_to(ROOT / "templates").as_posix())
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", path.read_text())


def test_style_sheets_and_scripts_of_the_portal_load_nothing_from_elsewhere() -> None:
    for path in [*(ROOT / "static" / "css").glob("*.css"), *(ROOT / "static" / "js").glob("*.js")]:
        text = path.read_text()
        assert not re.search(r"https?://|@import|\beval\(|innerHTML", text), path.name


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "tabler-icons" / "sprite.svg").read_text()))
    used = {name for path in TEMPLATES for name in re.findall(r'{% icon "([^"]+)"', path.read_text())}
    used |= {name for path in TEMPLATES for name in re.findall(r'glyph="([^"]+)"', path.read_text())}
    used |= {look.icon for look in wording.STATES.values()}
    assert used <= known


def test_every_state_role_and_step_has_words() -> None:
    for states in (State, RunState, Judged, Choice, RecoveryState, Recovery.Outcome):
        assert {state.value for state in states} <= set(wording.STATES)
    assert set(ROLES) <= set(wording.ROLES)
    assert list(wording.STEPS) == [
        "preflight", "backup", "rehearse", "stage", "lane_before", "apply", "lane_after", "verify", "publish", "record",
        *(step.name for step in RECOVERY_STEPS),
    ]  # fmt: skip


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\ufeff", "\x00", "\u00a0", "\U000e0041", "\r"])
def test_a_character_that_hides_or_reorders_text_is_shown(character: str) -> None:
    code = f"⟨U+{ord(character):04X}⟩"
    for shown in (
        render("{% sql text %}", text=f"DROP TABLE a{character}b; -- x{character}"),
        render("{{ text|visible }}", text=f"a{character}b"),
        render("{% diff text %}", text=f"+a{character}b") if character != "\r" else code,
    ):
        assert code in shown and (character == "\r" or character not in shown)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("аudit_events", "а⟨U+0430⟩udit_events"), ("раураӏ", "р⟨U+0440⟩"), ("ｄrop", "ｄ⟨U+FF44⟩rop"),
        ("𝐝rop", "𝐝⟨U+1D41D⟩rop"), ("ΑΒΕ", "Α⟨U+0391⟩"), ("Adèle, Straße, рассказ, Ελλάδα, 名前, m²", ""), ("it’s – fine", ""),
    ],
)  # fmt: skip
def test_a_word_that_only_looks_like_ascii_is_marked(text: str, marked: str) -> None:
    for shown in (
        render("{{ text|visible }}", text=text),
        render("{% sql text %}", text=text.replace("’", "").replace("–", "")),
    ):
        plain = re.sub(r"<[^>]+>", "", shown)
        assert marked in plain if marked else "⟨" not in plain


def test_a_sign_that_looks_like_one_of_sql_is_marked_in_sql() -> None:
    for text, code in (("‘a’", "‘⟨U+2018⟩"), ("–– all", "–⟨U+2013⟩"), ("a\u037e", "\u037e⟨U+037E⟩")):
        assert code in re.sub(r"<[^>]+>", "", render("{% sql text %}", text=text))
        assert code in re.sub(r"<[^>]+>", "", render("{% diff text %}", text=f"+{text}"))


def test_sql_is_escaped_and_its_text_is_complete() -> None:
    text = "SELECT '<script>alert(1)</script>' AS \"a&b\"\n\n\t-- </code> ü\n;  \n"
    shown = render("{% sql text id=name %}", text=text, name="x<y")
    assert "<script" not in shown and "x<y" not in shown and 'id="x&lt;y-L1"' in shown
    plain = re.sub(r"<[^>]+>", "", visible_text.sql_lines(text))
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&#x27;", "'"), ("&quot;", '"'), ("&amp;", "&")):
        plain = plain.replace(entity, sign)
    assert plain == text


def test_very_long_sql_is_shown_plain_but_whole() -> None:
    text = "SELECT 1;\n" * 30_000
    shown = visible_text.sql_lines(text)
    assert shown.count('class="line"') == 30_000 and "sql-k" not in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% duration 0.4 %}", "400 ms"),
        ("{% duration 9.96 %}", "10 s"),
        ("{% duration 192 %}", "3 min 12 s"),
        ("{% duration 7380 %}", "2 h 03 min"),
        ("{% duration nothing %}", "–"),
        ("{% bytes 812 %}", "812 B"),
        ("{% bytes 1258291 %}", "1.2 MiB"),
        ("{% when nothing %}", "–"),
    ],
)
def test_units_are_written_out(text: str, expected: str) -> None:
    assert render(text, nothing=None) == expected


def test_a_time_is_shown_in_utc_whatever_its_zone() -> None:
    shown = render("{% when moment %}", moment="2026-11-23T19:02:03.123456+02:00")
    assert shown == '<time datetime="2026-11-23T17:02:03Z">2026-11-23 17:02:03 UTC</time>'


def test_a_digest_can_be_copied_whole() -> None:
    value = hashlib.sha256(b"").hexdigest()
    shown = render("{% digest value %}{% digest value True %}", value=value)
    assert shown.count(f'data-copy="{value}"') == 2
    assert re.sub(r"<[^>]+>", "", shown) == value + value[:12]


class Wish(forms.Form):
    reason = forms.CharField(label="Reason", help_text="Why.", widget=forms.Textarea)


def test_a_refused_field_names_its_help_and_its_error_for_screen_readers() -> None:
    form = Wish({"reason": ""})
    shown = render("{% error_summary form refused %}{% field form.reason %}", form=form, refused="Somebody was faster.")
    described = re.search(r'<textarea[^>]*aria-describedby="([^"]+)"', shown)
    assert described and all(f'id="{name}"' in shown for name in described[1].split())
    assert 'aria-invalid="true"' in shown and 'href="#id_reason"' in shown and "Somebody was faster." in shown


def test_facts_and_evidence_of_any_shape_are_shown_and_escaped() -> None:
    evil = "<img src=x>\u202e"
    facts = [{"at": "2026-11-23T17:02:03+00:00", "action": evil, "actor": {"name": evil}, "detail": {evil: evil}}]
    facts += [{"at": None, "action": action, "actor": None, "detail": None} for action in wording.ACTIONS]
    deep = {"a": {"b": [{"c": [1, {"d": evil}]}]}, "rows": [{"x": None, "text": "a\nb"}], "n": None, "list": [evil] * 9}
    shown = render("{% timeline facts shown=1 %}{% evidence deep %}", facts=facts, deep=deep)
    assert "<img" not in shown and "\u202e" not in shown
