// Signing with a passkey: ask the portal what to sign, let the authenticator sign it, post the form with its answer.
(() => {
  "use strict";

  const form = document.getElementById("sign-form");
  const button = form?.querySelector("[data-sign-passkey]");
  const region = document.getElementById("sign-refused");
  if (!button || !window.PublicKeyCredential) return;

  function refuse(sentences) {
    region.replaceChildren(...sentences.map((sentence) => {
      const line = document.createElement("p");
      line.className = "sign-refused";
      line.textContent = sentence;
      return line;
    }));
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }

  // Returns the challenge to answer, or null when the page already says why there is none.
  async function begin() {
    let answer;
    try {
      const response = await fetch(form.dataset.begin, { method: "POST", body: new FormData(form) });
      answer = await response.json();
    } catch {
      refuse([form.dataset.lost]);
      return null;
    }
    if (answer.stale) form.requestSubmit();
    else if (answer.sentences) refuse(answer.sentences);
    return answer.publicKey ? answer : null;
  }

  async function sign() {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    region.replaceChildren();
    form.elements.challenge.value = form.elements.assertion.value = "";
    const asked = await begin();
    if (!asked) return;
    try {
      const answer = await window.webauthnJSON.get({ publicKey: asked.publicKey });
      form.elements.assertion.value = JSON.stringify(answer);
      form.elements.challenge.value = asked.challenge;
    } catch {
      refuse([form.dataset.refused]);
      return;
    }
    form.requestSubmit();
  }

  button.hidden = false;
  button.addEventListener("click", sign);
})();
