// Upgrades every <textarea data-sql-editor> to an editor; the textarea stays the form's field and its label's target.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The class names of portal.css, so that SQL looks the same in the editor and on the pages.
const highlighting = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.definitionKeyword], class: "sql-k" },
  { tag: [tags.typeName, tags.standard(tags.name)], class: "sql-t" },
  { tag: [tags.string, tags.special(tags.string)], class: "sql-s" },
  { tag: [tags.number, tags.bool, tags.null], class: "sql-n" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], class: "sql-c" },
  { tag: tags.operator, class: "sql-o" },
]);

// Characters that hide or reorder text, beyond those CodeMirror marks by itself.
const HIDDEN = /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\uffa0]|[\u{e0000}-\u{e01ef}]/gu;

function showCharacter(code, _description, _placeholder) {
  const mark = document.createElement("span");
  mark.className = "invisible-character";
  mark.textContent = `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  return mark;
}

function nonce() {
  return document.querySelector('meta[name="csp-nonce"]')?.content ?? "";
}

function labelOf(area) {
  const label = area.labels?.[0];
  if (!label) return {};
  label.id ||= `${area.id}_label`;
  return { "aria-labelledby": label.id };
}

function describedBy(area, hint) {
  return { "aria-describedby": [area.getAttribute("aria-describedby"), hint.id].filter(Boolean).join(" ") };
}

function hintFor(area) {
  const hint = document.createElement("p");
  hint.className = "sql-editor-hint";
  hint.id = `${area.id}_keys`;
  hint.textContent = area.dataset.hint || "Tab indents. Press Esc, then Tab, to leave the editor.";
  return hint;
}

function upgrade(area) {
  if (area.dataset.upgraded) return;
  area.dataset.upgraded = "yes";
  const hint = hintFor(area);
  const invalid = area.getAttribute("aria-invalid") === "true" ? { "aria-invalid": "true" } : {};
  const fixed = area.readOnly || area.disabled;
  const view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        EditorView.cspNonce.of(nonce()),
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightSpecialChars({ addSpecialChars: HIDDEN, render: showCharacter }),
        bracketMatching(),
        indentUnit.of("  "),
        sql({ dialect: PostgreSQL }),
        syntaxHighlighting(highlighting),
        EditorState.readOnly.of(fixed),
        keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap]),
        EditorView.contentAttributes.of({
          ...labelOf(area), ...describedBy(area, hint), ...invalid,
          "aria-multiline": "true", tabindex: "0", spellcheck: "false", autocapitalize: "off", translate: "no",
        }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  const box = document.createElement("div");
  box.className = "sql-editor";
  box.append(view.dom, hint);
  area.after(box);
  area.hidden = true;
  // The browser cannot focus a hidden field, so what points to it leads into the editor instead.
  for (const label of area.labels ?? []) label.addEventListener("click", () => view.focus());
  for (const link of document.querySelectorAll(`a[href="#${CSS.escape(area.id)}"]`)) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      view.focus();
      view.dom.scrollIntoView({ block: "center" });
    });
  }
}

function upgradeAll(root) {
  for (const area of root.querySelectorAll("textarea[data-sql-editor]")) upgrade(area);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => upgradeAll(document));
else upgradeAll(document);
document.addEventListener("htmx:load", (event) => upgradeAll(event.target));
