// Presses change the page in place. Without this script each button is a form that leads back to its page.
// The other scripts ask and say by events of the document: "retinue:ask", "retinue:say". Whatever is answered is shown
// here, and then told as "retinue:changed"; that a session has ended as "retinue:ended".
(() => {
  "use strict";

  const WORDS = document.currentScript.dataset;

  // Milliseconds after a change in which a press is the rest of the one before: a double click does one thing.
  const ONE_PRESS = 600;

  // When each user's button was changed, and when a row went: then another's button is under the pointer.
  const changes = new Map();
  let wentAt = -ONE_PRESS;

  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`retinue:${name}`, { detail }));

  const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

  // --- What is said, for the eye and for screen readers ---

  // There before it says anything, so that screen readers listen to it.
  const line = () => {
    const there = document.getElementById("retinue-said");
    if (there) return there;
    const made = element("p", { id: "retinue-said", className: "retinue-unseen" });
    made.setAttribute("role", "status");
    document.body.append(made);
    return made;
  };

  // What can be done about it stands beside it: a link to another page, or a button.
  const say = ({ message, failed, link, location, label, press }) => {
    const place = line();
    place.className = "retinue-unseen";
    place.textContent = message;
    if (location) place.append(" ", element("a", { href: location, textContent: link }));
    if (press) {
      const button = element("button", { type: "button", textContent: label });
      button.addEventListener("click", press, { once: true });
      place.append(" ", button);
    }
    // Its stay begins anew.
    void place.offsetWidth;
    place.className = failed ? "retinue-said retinue-failed" : "retinue-said";
  };

  // Resolves to whether whoever pressed is sure.
  const askFirst = (question, label) =>
    new Promise((resolve) => {
      const dialog = element("dialog", { className: "retinue-ask" });
      const form = element("form", { method: "dialog" });
      const no = element("button", { className: "retinue-button retinue-quiet", value: "", textContent: WORDS.cancel });
      const yes = element("button", { className: "retinue-button retinue-grave", value: "yes", textContent: label });
      form.append(element("p", { textContent: question }), no, yes);
      dialog.append(form);
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes");
      });
      document.body.append(dialog);
      dialog.showModal();
    });

  // --- What is shown ---

  const placesOf = (name, user) => document.querySelectorAll(`[data-retinue-${name}="${CSS.escape(user)}"]`);

  // The form of the buttons of each place, also while it has none.
  const forms = new WeakMap();

  const fill = (place, html) => {
    const fresh = place.cloneNode(false);
    fresh.innerHTML = html;
    const form = place.querySelector("[form]")?.getAttribute("form") ?? forms.get(place);
    if (form) {
      forms.set(place, form);
      for (const button of fresh.querySelectorAll("button")) button.setAttribute("form", form);
    }
    if (fresh.isEqualNode(place)) return;
    const focused = place.contains(document.activeElement);
    place.replaceChildren(...fresh.childNodes);
    if (focused) (place.querySelector("a, button") ?? place.closest("[data-retinue-row]")?.querySelector("a, button"))?.focus();
  };

  // Rows that went, each with the mark of its place, until something else is pressed: then they do not come back.
  let gone = [];

  // Whether the list says that nobody is on it.
  const settle = (list) => {
    const none = list.parentElement.querySelector(":scope > [data-retinue-none]");
    if (none) none.hidden = list.querySelector("[data-retinue-row]") !== null;
  };

  const leave = (row) => {
    const focused = row.contains(document.activeElement);
    const mark = document.createComment("");
    row.replaceWith(mark);
    settle(mark.parentElement);
    gone.push([row, mark]);
    wentAt = performance.now();
    return focused;
  };

  const comeBack = (people) => {
    const back = gone.filter(([row]) => row.dataset.retinueRow in people);
    for (const [row, mark] of back) {
      mark.replaceWith(row);
      settle(row.parentElement);
    }
    return back[0]?.[0];
  };

  const keeps = (row, how) => row.dataset.retinueWhile.split(" ").some((name) => how.includes(name));

  // Whether a row went that had the focus.
  const show = (people, leaver) => {
    let lost = false;
    for (const [user, { how, pieces }] of Object.entries(people)) {
      for (const [name, html] of Object.entries(pieces)) for (const place of placesOf(name, user)) fill(place, html);
      for (const row of placesOf("row", user)) {
        if (user === leaver || (row.dataset.retinueWhile && !keeps(row, how))) lost = leave(row) || lost;
      }
    }
    return lost;
  };

  // --- What is asked ---

  const ask = async ({ address, body, quiet, then, otherwise }) => {
    line();
    try {
      const answer = await fetch(address, {
        method: body ? "POST" : "GET",
        body,
        headers: { Accept: "application/json" },
        credentials: "same-origin",
        redirect: "error",
        cache: "no-store",
      });
      const said = await answer.json().catch(() => ({ broken: true }));
      if (!answer.ok || said.broken) throw Object.assign(new Error(), { said, status: answer.status });
      const lost = show(said.people ?? {}, said.gone);
      then?.(said, lost);
      tell("changed", said);
    } catch (error) {
      if (!(error instanceof TypeError) && !error.said) throw error;
      otherwise?.(error.status);
      const { message, link, location } = error.said ?? {};
      if (error.status === 401) tell("ended", { address });
      if (!quiet || location) say({ message: message ?? WORDS.failed, failed: true, link, location });
    }
  };

  // --- Presses ---

  const userOf = (button) => {
    const { retinueUser, retinueAnswers, retinueRow } = button.closest("[data-retinue-user], [data-retinue-answers], [data-retinue-row]")?.dataset ?? {};
    return retinueUser ?? retinueAnswers ?? retinueRow;
  };

  // At once, before the server has answered.
  const expect = (place, then) => {
    const button = place.querySelector("button");
    button.textContent = then;
    button.classList.toggle("retinue-on", !("ends" in button.dataset));
    delete button.dataset.ends;
    button.setAttribute("aria-busy", "true");
  };

  // What was pressed a moment ago says what is so, not what the next press would end, until the pointer has left.
  const rest = (button) => {
    button.classList.add("retinue-fresh");
    button.addEventListener("pointerleave", () => button.classList.remove("retinue-fresh"), { once: true });
  };

  const press = (form, button) => {
    const user = userOf(button);
    const { then } = button.dataset;
    const places = then ? [...placesOf("user", user)] : [];
    const before = places.map((place) => place.innerHTML);
    const address = button.formAction;
    const body = new FormData(form);
    gone = [];
    button.setAttribute("aria-busy", "true");
    for (const place of places) expect(place, then);
    ask({
      address,
      body,
      then: (said, lost) => {
        changes.set(user, performance.now());
        button.removeAttribute("aria-busy");
        for (const fresh of document.querySelectorAll(`[data-retinue-user="${CSS.escape(user)}"] > button`)) rest(fresh);
        offer(said, body, places[0]);
        // Whoever works by the keyboard goes on from what is there in the place of the row.
        if (lost) (line().querySelector("button") ?? gone[0][1].parentElement.querySelector("[data-retinue-row] button"))?.focus();
      },
      otherwise: () => {
        button.removeAttribute("aria-busy");
        places.forEach((place, at) => fill(place, before[at]));
      },
    });
  };

  // Says what was done, with a way to take it back if there is one.
  const offer = ({ message, undo }, body, place) => {
    if (!undo) return say({ message });
    const again = new FormData();
    for (const [name, value] of [...body, ...Object.entries(undo.fields)]) again.set(name, value);
    const back = (said) => {
      const row = comeBack(said.people);
      show(said.people);
      say({ message: said.message });
      (row ?? place)?.querySelector("button")?.focus();
    };
    return say({ message, label: WORDS.undo, press: () => ask({ address: undo.address, body: again, then: back }) });
  };

  // Those that are asked about are sent a second time, when the answer is yes.
  const sure = new WeakSet();

  const confirm = async (form, button) => {
    if (!(await askFirst(button.dataset.ask, button.dataset.ends ?? button.firstChild.textContent))) return;
    sure.add(button);
    form.requestSubmit(button);
    sure.delete(button);
  };

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || event.defaultPrevented) return;
    const { then, ask: question } = button.dataset;
    if (then === undefined && !question) return;
    const now = performance.now();
    const isRest = now - Math.max(changes.get(userOf(button)) ?? -ONE_PRESS, wentAt) < ONE_PRESS;
    if (isRest || button.getAttribute("aria-busy") === "true") return event.preventDefault();
    if (question && !sure.has(button)) {
      event.preventDefault();
      confirm(event.target, button);
    } else if (then !== undefined) {
      event.preventDefault();
      press(event.target, button);
    }
  });

  // A key that is held down is one press, too.
  document.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter" && event.target.dataset?.then !== undefined) event.preventDefault();
  });

  document.addEventListener("retinue:ask", (event) => ask(event.detail));
  document.addEventListener("retinue:say", (event) => say(event.detail));
})();
