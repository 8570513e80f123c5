// The viewer of dossier pages: arrow keys turn pages, plus and minus change the size, and the page goes when the grant ends.
"use strict";
(() => {
  const box = document.querySelector("[data-looking]");
  if (!box) return;
  const follow = (selector) => {
    const link = box.querySelector(selector);
    if (link) window.location.assign(link.href);
  };
  const zoom = (step) => {
    const sizes = Array.from(box.querySelectorAll("[data-zoom]"));
    const now = sizes.findIndex((link) => link.getAttribute("aria-current"));
    const wanted = sizes[now + step];
    if (wanted) window.location.assign(wanted.href);
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    const actions = {
      ArrowLeft: () => follow("a[rel=prev]"),
      PageUp: () => follow("a[rel=prev]"),
      ArrowRight: () => follow("a[rel=next]"),
      PageDown: () => follow("a[rel=next]"),
      "+": () => zoom(1),
      "=": () => zoom(1),
      "-": () => zoom(-1),
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
  box.addEventListener("contextmenu", (event) => {
    if (event.target.closest(".looking-page")) event.preventDefault();
  });
  const end = (message) => {
    const ended = document.querySelector("template[data-looking-ended]").content.cloneNode(true);
    ended.querySelector("[data-message]").textContent = message;
    box.replaceChildren(ended);
    window.clearInterval(timer);
  };
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.looking, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 404 || answer.status === 401 || answer.redirected) return end("");
      if (!answer.ok) return undefined;
      const state = await answer.json();
      if (!state.open) end(state.message);
    } catch (error) {
      // The network is away: the server decides again at the next page.
    }
    return undefined;
  };
  const timer = window.setInterval(ask, 10000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  // Back from the browser's memory of pages: never trusted.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) ask();
  });
})();
