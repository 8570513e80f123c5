/* A text is saved while somebody writes. An older version is refused by the server; the page then says so and waits. */
"use strict";
(() => {
  const note = document.querySelector("[data-autosave]");
  const form = note && note.closest("form");
  if (!form) return;
  const version = form.elements.version;
  let timer = null, busy = false, stopped = false, sending = null;
  const save = async () => {
    if (stopped || busy) return;
    busy = true;
    const texts = [...form.querySelectorAll("textarea")].map((field) => [field, field.value]);
    const data = new FormData(form);
    data.set("do", "autosave");
    let retry = false;
    try {
      const answer = await fetch(note.dataset.autosave, { method: "POST", body: data, credentials: "same-origin", headers: { Accept: "application/json" } });
      const found = answer.redirected ? null : await answer.json().catch(() => null);
      if (found && answer.ok) {
        version.value = found.version;
        note.textContent = found.saved;
        for (const [field, value] of texts) field.defaultValue = value; /* no warning about what is saved */
        retry = texts.some(([field, value]) => field.value !== value);
      } else if (found) {
        note.textContent = found.problem;
        note.classList.add("field-error");
        stopped = answer.status === 409;
      }
    } catch { retry = true; /* offline: tried again, and the draft of the browser holds the text */ }
    busy = false;
    if (sending) form.requestSubmit(sending.button || undefined);
    else if (retry && !stopped) timer = setTimeout(save, 4000);
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(save, 2000); });
  /* A save under way is waited for: the page that follows must know its version. */
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (busy && !sending) { event.preventDefault(); event.stopImmediatePropagation(); sending = { button: event.submitter }; return; }
    stopped = true;
  }, true);
})();
