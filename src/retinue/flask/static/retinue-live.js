// What happens elsewhere: in another tab, on another device, or as time goes by. Asked when the page is looked at again,
// and, of unread notifications, as long as it is looked at.
(() => {
  "use strict";

  const { state: STATE } = document.currentScript.dataset;

  // The places of what is shown of people: data-retinue-<name>="<user>".
  const NAMES = ["user", "answers", "standing", "since", "followers", "following", "follower-count", "following-count", "row"];

  // People in one request, characters of its address, and milliseconds between two.
  const MOST = 50, LONGEST = 2000, APART = 1000;

  // Milliseconds between two questions for unread notifications, and at most, when there are no answers.
  const EVERY = 30_000, SELDOM = 600_000;

  // Milliseconds for which a notification is in sight before it is read.
  const GLANCE = 1000;

  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`retinue:${name}`, { detail }));
  const badges = () => [...document.querySelectorAll("[data-retinue-unread]")];

  // --- The page as it is now ---

  const viewer = () => document.querySelector("[data-retinue-viewer]")?.dataset.retinueViewer ?? "";

  const people = () => {
    const places = document.querySelectorAll(NAMES.map((name) => `[data-retinue-${name}]`).join());
    return new Set([...places].flatMap((place) => NAMES.map((name) => place.getAttribute(`data-retinue-${name}`)).filter(Boolean)));
  };

  const question = () => {
    const query = new URLSearchParams({ as: viewer(), next: location.pathname + location.search });
    let left = MOST;
    for (const user of people()) {
      if (left-- === 0) break;
      query.append("user", user);
      if (`${query}`.length > LONGEST) break;
    }
    return `${STATE}?${query}`;
  };

  let lookedAt = performance.now();

  const lookAgain = () => {
    const now = performance.now();
    if (document.hidden || now - lookedAt < APART) return;
    lookedAt = now;
    if (people().size || badges().length) tell("ask", { address: question(), quiet: true, then: () => poll(EVERY) });
  };

  addEventListener("focus", lookAgain);
  document.addEventListener("visibilitychange", lookAgain);
  addEventListener("pageshow", (event) => {
    // A browser goes back to a page as it was.
    const isBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
    if (!event.persisted && !isBack) return;
    lookedAt = -APART;
    lookAgain();
  });

  // --- Unread notifications ---

  const title = () => {
    const badge = badges().find((one) => !one.hidden);
    const number = badge?.firstChild?.textContent.trim();
    const plain = document.title.replace(/^\(\d+\+?\) /, "");
    document.title = number ? `(${number}) ${plain}` : plain;
  };

  const showUnread = (html) => {
    for (const badge of badges()) {
      badge.innerHTML = html;
      badge.hidden = !html;
    }
    if (!html) for (const one of document.querySelectorAll("[data-retinue-while-unread]")) one.remove();
    title();
  };

  let timer, tag;

  // Not logged in, there is nothing to ask for; without an answer, more and more seldom.
  const poll = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const address = badges()[0]?.dataset.retinueUnread;
      if (!address) return;
      if (document.hidden) return poll(wait);
      const headers = { Accept: "application/json", ...(tag && { "If-None-Match": tag }) };
      const answer = await fetch(address, { headers, cache: "no-store" }).catch(() => ({ status: 0 }));
      if (answer.status === 401) return;
      if (answer.ok) {
        tag = answer.headers.get("ETag");
        showUnread((await answer.json()).unread);
      }
      poll(answer.ok || answer.status === 304 ? EVERY : Math.min(wait * 2, SELDOM));
    }, wait);
  };

  document.addEventListener("retinue:changed", ({ detail: { unread, token } }) => {
    if (unread !== undefined) {
      tag = undefined;
      showUnread(unread);
    }
    if (token) for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  });

  if (badges().length) {
    title();
    poll(EVERY);
  }

  // --- Notifications that were seen are read ---

  const inSight = new Set();

  const read = (buttons, after) => {
    const [first] = buttons;
    if (!first) return;
    const body = new FormData(first.form);
    for (const button of buttons) {
      observer.unobserve(rowOf(button));
      body.append(button.name, button.value);
    }
    const then = () => {
      for (const button of buttons) for (const one of rowOf(button).querySelectorAll("[data-retinue-while-unread]")) one.remove();
      after?.();
    };
    tell("ask", { address: first.formAction, body, quiet: true, then, otherwise: after });
  };

  const rowOf = (button) => button.closest("li");
  const buttonIn = (row) => row.querySelector("[data-retinue-notice]");

  const glance = () => {
    if (!document.hidden) read([...inSight].splice(0).map(buttonIn).filter(Boolean));
  };

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) inSight[isIntersecting ? "add" : "delete"](target);
      setTimeout(glance, GLANCE);
    },
    { threshold: 0.6 },
  );

  for (const button of document.querySelectorAll("[data-retinue-notice]")) observer.observe(rowOf(button));
  document.addEventListener("visibilitychange", () => setTimeout(glance, GLANCE));

  // At once, for whoever goes on from one, before the next page counts them; or says so.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const button = link?.closest("li")?.querySelector("[data-retinue-notice]");
    if (!button || event.defaultPrevented) return;
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target);
    if (isPlain) event.preventDefault();
    read([button], isPlain ? () => location.assign(link.href) : undefined);
  });
  document.addEventListener("submit", (event) => {
    if (!event.submitter?.matches("[data-retinue-notice]")) return;
    event.preventDefault();
    read([event.submitter]);
  });
})();
