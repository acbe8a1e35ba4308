"use strict";
// Two things that a page cannot do without a script: read an invitation that came behind #, and speak to passkeys.
// Nothing is fetched and nothing is kept; whatever comes of it is sent by an ordinary form.
(() => {
  const field = document.querySelector("[data-from-fragment]");
  const take = () => {
    if (!field || location.hash.length < 2 || location.hash === "#main") return;
    field.value = location.hash.slice(1);
    // Out of the address bar and the history: the invitation is for nobody's eyes.
    history.replaceState(null, "", location.pathname);
  };
  take();
  addEventListener("hashchange", take);

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const written = (made) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    if (made.response.getTransports) response.transports = made.response.getTransports();
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
  };

  const ask = (kind, options) => {
    options.challenge = bytes(options.challenge);
    if (kind === "get") {
      options.allowCredentials = described(options.allowCredentials);
      return navigator.credentials.get({ publicKey: options });
    }
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = described(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: options });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const tell = (what) => {
      for (const line of form.querySelectorAll("[data-passkey-trouble]")) line.hidden = line.dataset.passkeyTrouble !== what;
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      tell("");
      if (!window.PublicKeyCredential) return tell("unable");
      const button = form.querySelector("button");
      button.disabled = true;
      try {
        form.elements.credential.value = written(await ask(form.dataset.passkey, JSON.parse(form.dataset.options)));
        form.submit();
      } catch (error) {
        tell(error.name === "InvalidStateError" ? "known" : "refused");
        button.disabled = false;
        button.focus();
      }
    });
  }
})();
