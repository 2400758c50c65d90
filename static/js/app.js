// Small behaviour of every page; each page works without it.
(() => {
  "use strict";

  // A second press of a submit button must not send the form twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });

  // Coming back by the browser's history shows the page as it was left, with its form still marked as sent.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  function announce(text) {
    const region = document.getElementById("announcements");
    if (region) region.textContent = text;
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return; // Without permission nothing is copied; the text can still be selected.
    }
    button.classList.add("copy-done");
    announce(button.dataset.copied);
    setTimeout(() => button.classList.remove("copy-done"), 1500);
  }

  // data-confirm-name holds the name that has to be typed before the form's button can be pressed.
  function checkName(field) {
    const button = field.form?.querySelector("[data-confirm-button]");
    if (button) button.disabled = field.value !== field.dataset.confirmName;
  }

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("[data-print]")) window.print();
    closeMenus(event.target.closest("details.menu"));
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-confirm-name]")) checkName(event.target);
  });

  // A printed page shows what is folded on the screen.
  const unfolded = [];
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("main details:not([open])")) {
      details.open = true;
      unfolded.push(details);
    }
  });
  window.addEventListener("afterprint", () => {
    for (const details of unfolded.splice(0)) details.open = false;
  });

  // A page renewed while somebody reads it must not close the details they opened.
  const opened = new Set();
  document.addEventListener("toggle", (event) => {
    const { id, open } = event.target;
    if (!id) return;
    if (open) opened.add(id);
    else if (event.target.isConnected) opened.delete(id);
  }, true);
  document.addEventListener("htmx:load", (event) => {
    for (const id of opened) {
      const details = document.getElementById(id);
      if (details && event.target.contains(details)) details.open = true;
    }
  });

  // A refused form of a boosted or partial request still carries its sentences: show it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([400, 403, 409, 422, 429].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-error-summary]")?.focus();
    for (const field of document.querySelectorAll("[data-confirm-name]")) checkName(field);
  });
})();
