/* Creating a customer: likely duplicates are shown while name, phone or code are typed. Works without it: the server asks again. */
"use strict";
(() => {
  const box = document.querySelector("[data-hints]");
  const form = box && box.closest("form");
  if (!form) return;
  const names = ["name", "phone", "credit_code"];
  let timer = null;
  let request = null;
  const load = async () => {
    const typed = new URLSearchParams();
    for (const name of names) {
      const field = form.elements[name];
      if (field && field.value.trim()) typed.set(name, field.value.trim());
    }
    if (request) request.abort();
    request = new AbortController();
    if (!String(typed)) { box.replaceChildren(); return; }
    typed.set("csrf_token", form.elements.csrf_token.value);
    try {
      const answer = await fetch(box.dataset.hints, { method: "POST", body: typed, credentials: "same-origin", signal: request.signal });
      if (!answer.ok || answer.redirected) return;
      const piece = new DOMParser().parseFromString(await answer.text(), "text/html");
      box.replaceChildren(...piece.body.childNodes);
    } catch (error) { if (error.name !== "AbortError") box.replaceChildren(); }
  };
  for (const name of names) {
    const field = form.elements[name];
    if (!field || !field.addEventListener) continue;
    const soon = () => { clearTimeout(timer); timer = setTimeout(load, 350); };
    field.addEventListener("input", (event) => { if (!event.isComposing) soon(); });
    field.addEventListener("compositionend", soon);
  }
})();
