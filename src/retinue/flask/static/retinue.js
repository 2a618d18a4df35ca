// Follow buttons change in place. Without this script each is a form that leads back to its page.
(() => {
  "use strict";

  const FAILED = document.currentScript.dataset.failed;

  // Milliseconds after a change in which a press is the rest of the one before: a double click does one thing.
  const ONE_PRESS = 600;

  // When each user's button was changed.
  const changes = new Map();

  // What is said, for the eye and for screen readers; it stays until the next thing is said.
  const say = (message, failed, link, location) => {
    let line = document.getElementById("retinue-said");
    if (!line) {
      line = document.createElement("p");
      line.id = "retinue-said";
      line.setAttribute("role", "status");
      document.body.append(line);
    }
    line.className = failed ? "retinue-said retinue-failed" : "retinue-said";
    line.textContent = message;
    if (!location) return;
    const way = document.createElement("a");
    way.href = location;
    way.textContent = link;
    line.append(" ", way);
  };

  // Everywhere on the page that shows the button of this user.
  const placesOf = (user) => [...document.querySelectorAll(`[data-retinue-user="${CSS.escape(user)}"]`)];

  // At once, before the server has answered.
  const expect = (place, then) => {
    const button = place.querySelector("button");
    button.textContent = then;
    button.classList.toggle("retinue-on", !("ends" in button.dataset));
    delete button.dataset.ends;
    button.setAttribute("aria-busy", "true");
  };

  const fill = (place, content, form) => {
    const focused = place.contains(document.activeElement);
    place.replaceChildren(...content);
    const button = place.querySelector("button");
    if (form && button) button.setAttribute("form", form);
    if (focused && button) button.focus();
    return button;
  };

  // What was pressed a moment ago says what is so, not what the next press would end, until the pointer has left.
  const rest = (button) => {
    button.classList.add("retinue-fresh");
    button.addEventListener("pointerleave", () => button.classList.remove("retinue-fresh"), { once: true });
  };

  const parsed = (html, user) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.querySelector(`[data-retinue-user="${CSS.escape(user)}"]`);
  };

  const send = async (form, address) => {
    const answer = await fetch(address, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "error",
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(said.message || FAILED), { link: said.link, location: said.location });
    return said;
  };

  const press = async (form, button) => {
    const user = button.closest("[data-retinue-user]").dataset.retinueUser;
    const places = placesOf(user);
    const before = places.map((place) => [[...place.childNodes].map((node) => node.cloneNode(true)), place.querySelector("button")?.getAttribute("form")]);
    const address = button.formAction;
    places.forEach((place) => expect(place, button.dataset.then));
    try {
      const said = await send(form, address);
      places.forEach((place, at) => rest(fill(place, parsed(said.button, user).cloneNode(true).childNodes, before[at][1])));
      document.querySelectorAll(`[data-retinue-followers="${CSS.escape(user)}"]`).forEach((number) => (number.textContent = said.followers));
      changes.set(user, performance.now());
      say(said.message, false);
    } catch (error) {
      places.forEach((place, at) => fill(place, before[at][0], before[at][1]));
      say(error instanceof TypeError ? FAILED : error.message, true, error.link, error.location);
    }
  };

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button?.dataset.then || event.defaultPrevented) return;
    event.preventDefault();
    const { retinueUser } = button.closest("[data-retinue-user]").dataset;
    const settled = performance.now() - (changes.get(retinueUser) ?? -ONE_PRESS) >= ONE_PRESS;
    if (settled && button.getAttribute("aria-busy") !== "true") press(event.target, button);
  });

  // A key that is held down is one press, too.
  document.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter" && event.target.dataset.then) event.preventDefault();
  });
})();
