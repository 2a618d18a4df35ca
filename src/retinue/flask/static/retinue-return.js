// A session that ended: after the log-in one goes on where one was. What was written in a form with
// data-retinue-keep="<who is looking>" is kept for that one alone, in this tab, from the moment at which the page knows of
// the end until the form is there again; and the button that was pressed is where the next press goes.
(() => {
  "use strict";

  const { state: STATE, again: AGAIN, kept: KEPT } = document.currentScript.dataset;
  const NAME = "retinue.return";
  const UNWRITTEN = ["hidden", "password", "file", "submit", "button", "reset", "image"];

  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`retinue:${name}`, { detail }));
  const forms = () => [...document.querySelectorAll("form[data-retinue-keep]")];
  const here = () => location.pathname + location.search;
  const fields = (form) => [...form.elements].filter((field) => field.name && !UNWRITTEN.includes(field.type));

  const viewer = () => {
    const { retinueViewer, retinueKeep } = document.querySelector("[data-retinue-viewer], [data-retinue-keep]")?.dataset ?? {};
    return retinueViewer ?? retinueKeep;
  };

  const forget = () => sessionStorage.removeItem(NAME);

  // --- When it has ended ---

  const keep = (pressed) => {
    const drafts = forms().map((form) => [form.getAttribute("action"), fields(form).map(({ name, value, checked }) => ({ name, value, checked }))]);
    sessionStorage.setItem(NAME, JSON.stringify({ viewer: viewer(), page: here(), pressed, drafts }));
  };

  let pressed;
  document.addEventListener("retinue:ended", ({ detail }) => {
    pressed = detail.address;
    keep(pressed);
  });

  // What was written since then, too.
  document.addEventListener("click", ({ target }) => {
    if (target.closest("#retinue-said a") && sessionStorage.getItem(NAME)) keep(pressed);
  });

  // --- Before a form of theirs is sent: only if there is still somebody to send it ---

  const asking = new WeakSet();
  const checked = new WeakSet();

  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || !form.matches("[data-retinue-keep]") || checked.delete(form)) return;
    event.preventDefault();
    if (asking.has(form)) return;
    asking.add(form);
    const query = new URLSearchParams({ as: form.dataset.retinueKeep, next: here() });
    const send = () => {
      asking.delete(form);
      checked.add(form);
      form.requestSubmit(submitter);
    };
    // Anything but the end of the session, or of the connection, is for the application to tell.
    const otherwise = (status) => {
      asking.delete(form);
      if (status && status !== 401 && status !== 409) send();
    };
    // Sent when the page has the token that came with the answer.
    tell("ask", { address: `${STATE}?${query}`, then: () => setTimeout(send), otherwise });
  });

  // --- When one is back ---

  const restore = (form, written) => {
    const now = fields(form);
    let found = false;
    for (const { name, value, checked: isChecked } of written) {
      const at = now.findIndex((one) => one.name === name && (!["checkbox", "radio"].includes(one.type) || one.value === value));
      const [field] = at < 0 ? [] : now.splice(at, 1);
      if (!field || (field.value === value && field.checked === isChecked)) continue;
      field.value = value;
      if (isChecked !== undefined) field.checked = isChecked;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      found = true;
    }
    return found;
  };

  const goOn = () => {
    const kept = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
    const now = viewer();
    if (!kept || !now) return;
    if (kept.viewer !== now) return forget();
    const left = kept.drafts.filter(([action, written]) => {
      const form = forms().find((one) => one.getAttribute("action") === action);
      if (form && restore(form, written)) tell("say", { message: KEPT });
      return !form;
    });
    const button = kept.page === here() && [...document.querySelectorAll("button[formaction]")].find((one) => one.formAction === kept.pressed);
    if (button) {
      button.scrollIntoView({ block: "center" });
      button.focus();
      tell("say", { message: AGAIN });
    }
    if (left.length) sessionStorage.setItem(NAME, JSON.stringify({ ...kept, pressed: undefined, drafts: left }));
    else forget();
  };

  goOn();

  // --- Who logs out leaves nothing behind, in no tab ---

  const channel = new BroadcastChannel("retinue");
  channel.addEventListener("message", forget);
  document.addEventListener("submit", ({ target }) => {
    if (!target.matches("[data-retinue-forget]")) return;
    forget();
    channel.postMessage("forget");
  });
})();
