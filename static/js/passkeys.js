// Making and using passkeys: a form with data-passkey asks the authenticator before it is sent.
// data-passkey: create or get (the options stand in the page) or login (the options are fetched).
(() => {
  "use strict";

  async function options(form) {
    if (form.dataset.passkey !== "login") return JSON.parse(document.getElementById("passkey-options").textContent);
    const response = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(response.statusText);
    return response.json();
  }

  async function ask(form) {
    const found = await options(form);
    if (form.dataset.passkey !== "create") return window.webauthnJSON.get(found.request_options);
    const alone = form.querySelector("[name=passwordless]")?.checked ?? false;
    const selection = found.creation_options.publicKey.authenticatorSelection;
    selection.residentKey = alone ? "required" : "discouraged";
    selection.requireResidentKey = alone;
    return window.webauthnJSON.create(found.creation_options);
  }

  function say(form, sentence) {
    const place = form.querySelector("[data-passkey-error]");
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  // In the capturing phase, so that a form which is only being prepared does not count as sent.
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-passkey]");
    const field = form?.querySelector("[name=credential]");
    if (!form || field.value) return;
    event.preventDefault();
    say(form, "");
    if (!window.webauthnJSON?.supported()) {
      say(form, form.dataset.unsupported);
      return;
    }
    try {
      field.value = JSON.stringify(await ask(form));
    } catch (error) {
      say(form, error.name === "InvalidStateError" ? form.dataset.known : form.dataset.failed);
      return;
    }
    form.submit();
  }, true);
})();
