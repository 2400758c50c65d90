"""The tags and filters that every template may use without loading them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Form, RadioSelect, Select
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal.templatetags import units, visible_text, wording
from portal.templatetags.evidence_view import evidence_lines

register = template.Library()

SPRITE = "vendor/tabler-icons/sprite.svg"
DIGEST_GROUP, DIGEST_ROW = 8, 32
# Which addresses light up which entry of the navigation: the name itself, or what starts with it and a dash.
SECTIONS = {
    "home": ("home",),
    "requests": ("requests", "request", "run"),
    "targets": ("targets", "target"),
    "records": ("records", "record"),
    "recoveries": ("recoveries", "recovery", "backups", "backup"),
    "trail": ("trail",),
    "policy": ("policy", "emergencies", "emergency", "follow-ups", "follow-up"),
    "people": ("people", "person"),
    "delegations": ("delegations",),
}
# Facts repeat these in their sentence, or they are only of use to a machine.
UNTOLD = frozenset(
    {"execution", "worker", "attempt", "step", "sentence", "before", "after", "revision", "item", "choice", "role"}
)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon of the sprite; without a label it is decoration and hidden from screen readers."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"></use></svg>', spoken, static(SPRITE), name)


@register.simple_tag
def when(value: Any, precision: str = "seconds") -> SafeString | str:
    """Show a moment in UTC as <time>; the browser adds its local time. precision: seconds, minutes or day."""
    moment = units.read_moment(value)
    if moment is None:
        return str(value) if value else units.NOTHING
    shapes = {"seconds": "%Y-%m-%d %H:%M:%S UTC", "minutes": "%Y-%m-%d %H:%M UTC", "day": "%Y-%m-%d"}
    return _time(moment, moment.strftime(shapes[precision]))


@register.simple_tag
def ago(value: Any) -> SafeString | str:
    """Show how long ago a moment was; the exact time is in the title."""
    moment = units.read_moment(value)
    if moment is None:
        return units.NOTHING
    return _time(moment, units.age_words(moment, now=datetime.now(UTC)), moment.strftime("%Y-%m-%d %H:%M:%S UTC"))


def _time(moment: datetime, text: str, title: str = "") -> SafeString:
    exact = format_html(' title="{}"', title) if title else ""
    return format_html('<time datetime="{}"{}>{}</time>', moment.strftime("%Y-%m-%dT%H:%M:%SZ"), exact, text)


@register.simple_tag
def duration(seconds: Any) -> str:
    """Show a number of seconds in words."""
    return units.duration_words(seconds)


@register.simple_tag
def duration_range(least: Any, most: Any) -> str:
    """Show the least and the most seconds that something may take: “0.4 s – 4 s”, “at most 4 s”, “a moment”."""
    return units.duration_range_words(least, most)


@register.simple_tag
def elapsed(start: Any, end: Any = None) -> str:
    """Show the time between two moments; up to now when the second is missing."""
    first = units.read_moment(start)
    if first is None:
        return units.NOTHING
    last = units.read_moment(end) or datetime.now(UTC)
    return units.duration_words((last - first).total_seconds())


@register.simple_tag(name="bytes")
def size(count: Any) -> str:
    """Show a number of bytes with a binary unit."""
    return units.size_words(count)


@register.simple_tag
def sql(text: str, id: str = "", start: int = 1, label: str = "") -> SafeString:  # noqa: A002  # the template's word
    """Show SQL with line numbers and colours; with an id each line can be linked to as #id-L12."""
    lines = visible_text.sql_lines(str(text), anchor=id, start=start)
    name = format_html(' id="{}"', id) if id else ""
    return format_html(
        '<div class="sql-block"{} tabindex="0" role="region" aria-label="{}"><pre><code>{}</code></pre></div>',
        name,
        label or _("SQL"),
        lines,
    )


@register.simple_tag
def plain(text: str, label: str = "") -> SafeString:
    """Show what a program said, line by line, with its invisible characters."""
    return format_html(
        '<div class="sql-block" tabindex="0" role="region" aria-label="{}"><pre><code>{}</code></pre></div>',
        label or _("Output"),
        visible_text.plain_lines(str(text)),
    )


@register.simple_tag
def diff(text: str) -> SafeString:
    """Show a unified difference, each line marked as added, removed or unchanged."""
    return format_html(
        '<div class="sql-block sql-diff" tabindex="0" role="region" aria-label="{}"><pre><code>{}</code></pre></div>',
        _("Changes"),
        visible_text.diff_lines(text),
    )


@register.filter
def visible(text: Any) -> SafeString:
    """Escape text that somebody typed and show its invisible characters."""
    return visible_text.show_invisible(str(text))


@register.filter
def breakable(text: Any) -> SafeString:
    """Like visible, and long names may break after _, / and . instead of anywhere."""
    return visible_text.show_breakable(str(text))


@register.simple_tag
def status(state: Any, label: str = "") -> SafeString:
    """Show a state as a badge with icon, words and tone; label replaces the words."""
    look = wording.look_of(str(state))
    return format_html(
        '<span class="status status-{}" data-state="{}">{}{}</span>',
        look.tone,
        state,
        icon(look.icon),
        label or look.label,
    )


@register.filter
def state_name(state: Any) -> str:
    """Return what a state is called."""
    return str(wording.look_of(str(state)).label)


@register.simple_tag
def digest(value: Any, short: bool = False, label: str = "") -> SafeString | str:
    """Show a digest or commit in groups, with a button that copies it whole; short shows its first 12 signs."""
    text = str(value or "")
    if not text:
        return units.NOTHING
    shown = text[:12] if short else text
    copy = format_html(
        '<button type="button" class="copy" data-copy="{}" data-copied="{}" aria-label="{}">{}</button>',
        text,
        _("Copied"),
        label or _("Copy %(value)s") % {"value": text[:12]},
        icon("copy"),
    )
    kind = "digest digest-short" if short else "digest"
    return format_html('<span class="{}"><code title="{}">{}</code>{}</span>', kind, text, _grouped(shown), copy)


def _grouped(text: str) -> SafeString:
    """Split for the eye: the gaps are style, so that selecting the text takes the digest without spaces."""
    rows = [text[at : at + DIGEST_ROW] for at in range(0, len(text), DIGEST_ROW)]
    groups = ([(row[at : at + DIGEST_GROUP],) for at in range(0, len(row), DIGEST_GROUP)] for row in rows)
    return format_html_join("", "<i>{}</i>", ((format_html_join("", "<span>{}</span>", row),) for row in groups))


@register.filter
def request_name(subject: str) -> str:
    """Return what a case, fact or review is about: RB-12 for request:12, PR-2 for recovery:2, follow-up 3 for follow-up:3."""
    return subject.replace("request:", "RB-").replace("recovery:", "PR-").replace("follow-up:", "follow-up ")


@register.filter
def role_name(role: str) -> str:
    """Return what a role is called."""
    return wording.label_of(wording.ROLES, role)


@register.filter
def step_name(step: str) -> str:
    """Return what a step is called."""
    return str(wording.STEPS.get(step, (step, ""))[0])


@register.filter
def field_width(field: BoundField) -> str:
    """Return the class that lets fields for short answers be short."""
    widget = field.field.widget
    # A date's type is an attribute when the form chose it, and the widget's own otherwise.
    kind = widget.attrs.get("type") or getattr(widget, "input_type", "")
    return "field-narrow" if kind in {"datetime-local", "date", "number", "select", "password"} else ""


@register.inclusion_tag("components/nav_link.html", takes_context=True)
def nav_link(context: template.Context, section: str, label: str, count: int = 0) -> dict[str, Any]:
    """Show one entry of the main navigation; nothing when the section's page does not exist."""
    try:
        address = reverse(section)
    except NoReverseMatch:
        address = ""
    match = getattr(context.get("request"), "resolver_match", None)
    name = (match and match.url_name) or ""
    current = any(name == start or name.startswith(f"{start}-") for start in SECTIONS[section])
    return {"address": address, "label": label, "count": count, "current": current}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """Show a form field with label, help and errors; hint is further help below the form's own."""
    widget = bound.field.widget
    choices = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    checkbox = isinstance(widget, CheckboxInput)
    css = "form-check-input" if checkbox or choices else "form-select" if isinstance(widget, Select) else "form-control"
    attrs: dict[str, Any] = {"class": f"{css} is-invalid" if bound.errors else css}
    if str(widget.attrs.get("placeholder", "-")).lower() in str(bound.label).lower():
        attrs["placeholder"] = False  # the label above the field says it already
    if choices:
        widget.attrs.update(attrs)
    control = "" if choices else bound.as_widget(attrs=attrs)
    needed = bound.name in getattr(bound.form, "needed", ())
    optional = not bound.field.required and bound.name not in getattr(bound.form, "one_of_several", ())
    return {
        "field": bound, "control": control, "choices": choices, "checkbox": checkbox, "hint": hint, "needed": needed,
        "optional": optional,
    }  # fmt: skip


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: Form | None = None, refused: str | Iterable[str] = ()) -> dict[str, Any]:
    """List all that is wrong with a form and what a service refused, each error linked to its field."""
    sentences = [refused] if isinstance(refused, str) else list(refused)
    problems: list[dict[str, str]] = [{"text": sentence, "href": ""} for sentence in sentences if sentence]
    if form is not None and form.is_bound:
        problems += [{"text": str(error), "href": ""} for error in form.non_field_errors()]
        problems += [
            {"text": f"{bound.label}: {error}", "href": f"#{bound.id_for_label or bound.auto_id}"}
            for bound in form
            for error in bound.errors
        ]
    return {"problems": problems}


@register.inclusion_tag("components/blockers.html")
def blockers(items: Sequence[Any], edit: str = "", target: str = "") -> dict[str, Any]:
    """List what stands in the way: items with kind (fix or wait), sentence and anchor.

    `edit` and `target` are the addresses of the pages where the wording and the target are mended; an anchor
    of the checklist is on the page itself.
    """
    rows = [{"item": item, "href": _mending_address(item.anchor, edit, target)} for item in items]
    kinds = [item.kind for item in items]
    return {"rows": rows, "fix": kinds.count("fix"), "wait": kinds.count("wait")}


def _mending_address(anchor: str, edit: str, target: str) -> str:
    if not anchor or anchor.startswith("checklist-"):
        return f"#{anchor}" if anchor else ""
    if anchor == "target":
        return target
    # field.html gives every field's box the id field-NAME; the window is two fields.
    name = "window_start" if anchor == "window" else anchor
    return f"{edit}#field-{name}" if edit else ""


@register.inclusion_tag("components/stepper.html")
def stepper(steps: Iterable[Any], options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Show step runs: name, state, times, attempt, progress, evidence and the sentence of a failure.

    `options` are the signed plan's, because another command than ours promises less.
    """
    rows = []
    for step in steps:
        title, text = wording.STEPS.get(step.name, (step.name, ""))
        if step.name == "apply" and (options or {}).get("migrate"):
            text = wording.APPLY_BY_COMMAND
        doing = wording.progress_words(step.progress) if step.state == "running" else ""
        rows.append({"run": step, "title": title, "text": text, "look": wording.look_of(step.state), "doing": doing})
    return {"rows": rows, "done": sum(row["run"].state == "done" for row in rows), "total": len(rows)}


@register.inclusion_tag("components/evidence.html")
def evidence(mapping: Mapping[str, Any] | None) -> dict[str, Any]:
    """Show evidence of any shape: digests, times, sizes, lists and tables each in their own form."""
    return {"lines": evidence_lines(mapping or {})}


@register.inclusion_tag("components/evidence.html")
def evidence_rows(lines: Sequence[Any]) -> dict[str, Any]:
    """Show lines that evidence_lines() made already; for nested evidence."""
    return {"lines": lines}


@register.inclusion_tag("components/timeline.html")
def timeline(facts: Iterable[Mapping[str, Any]], shown: int = 8) -> dict[str, Any]:
    """Show facts of the trail in the given order; those beyond the first `shown` are folded away."""
    rows = [_timeline_row(each) for each in facts]
    return {"first": rows[:shown], "others": rows[shown:]}


def _timeline_row(fact: Mapping[str, Any]) -> dict[str, Any]:
    action, detail = str(fact.get("action", "")), fact.get("detail") or {}
    return {
        "at": fact.get("at"),
        "actor": (fact.get("actor") or {}).get("name") or _("The portal"),
        "sentence": wording.fact_sentence(action, detail),
        "tone": wording.fact_tone(action, detail),
        "said": detail.get("sentence", ""),
        "detail": {key: value for key, value in detail.items() if key not in UNTOLD},
        "fact": fact.get("fact"),
    }


@register.filter
def fact_words(fact: Mapping[str, Any]) -> str:
    """Return what a fact of the trail says, as the rest of a sentence that starts with its actor."""
    return wording.fact_sentence(str(fact.get("action", "")), fact.get("detail") or {})


@register.inclusion_tag("components/chips.html")
def signature_chips(chips: Iterable[Any]) -> dict[str, Any]:
    """Show required signatures: items with role, vote (name, at) or None, and mine (the viewer could give it)."""
    return {"chips": list(chips)}


@register.simple_block_tag
def panel(content: str, title: str, id: str = "", note: str = "", flush: bool = False) -> SafeString:  # noqa: A002
    """Wrap content in a titled panel; id makes it linkable, note stands beside the title, flush drops the padding."""
    name = format_html(' id="{}"', id) if id else ""
    aside = format_html('<span class="panel-note">{}</span>', note) if note else ""
    body = "panel-body panel-flush" if flush else "panel-body"
    return format_html(
        '<section class="panel"{}><header class="panel-head"><h2>{}</h2>{}</header><div class="{}">{}</div></section>',
        name,
        title,
        aside,
        body,
        content,
    )


@register.simple_block_tag
def callout(content: str, tone: str = "info", title: str = "") -> SafeString:
    """Wrap content in a callout; tone is info, good, warn, bad or neutral."""
    icons = {"good": "circle-check", "warn": "alert-triangle", "bad": "alert-octagon"}
    head = format_html('<p class="callout-title">{}</p>', title) if title else ""
    glyph = icon(icons.get(tone, "info-circle"))
    return format_html('<div class="callout callout-{}">{}<div>{}{}</div></div>', tone, glyph, head, content)
