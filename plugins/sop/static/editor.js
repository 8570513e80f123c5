/* Comfort of the editor: live preview, autosave, moving with keys and by dragging. Everything works without it. */
"use strict";
(() => {
  const token = document.querySelector("input[name=csrf_token]");
  const post = (url, data) => fetch(url, { method: "POST", body: data, credentials: "same-origin", headers: { "X-Requested-With": "fetch", "X-CSRFToken": token ? token.value : "" } });

  /* live preview of a chapter: the server renders and cleans it */
  const editor = document.querySelector("[data-editor]");
  if (editor) {
    const body = editor.querySelector("textarea");
    const shown = editor.querySelector("[data-result-html]");
    const troubles = editor.querySelector("[data-troubles]");
    let timer = null;
    let number = 0;
    const draw = async () => {
      const mine = ++number;
      const data = new FormData();
      data.set("csrf_token", token.value);
      data.set("body", body.value);
      const answer = await post(editor.dataset.preview, data).catch(() => null);
      if (!answer || !answer.ok || mine !== number) return;
      const found = await answer.json();
      const parsed = new DOMParser().parseFromString(found.html, "text/html");
      shown.replaceChildren(...parsed.body.childNodes);
      const list = document.createElement("ul");
      list.className = "problem-list field-error";
      for (const item of found.troubles) {
        const line = document.createElement("li");
        line.textContent = `${item.line}: ${item.message}`;
        list.append(line);
      }
      troubles.replaceChildren(...(found.troubles.length ? [list] : []));
    };
    body.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(draw, 400); });
  }

  /* autosave: the same form is sent; an older one is refused by the server and nothing is lost */
  const holder = document.querySelector("[data-autosave]");
  const form = holder && holder.closest("form");
  if (form && holder.dataset.autosave) {
    const seen = form.querySelector("[data-seen]");
    const status = form.querySelector("[data-saved]");
    let timer = null;
    let busy = false;
    let stopped = false;
    let waiting = null;
    const save = async () => {
      if (busy || stopped) return;
      busy = true;
      const data = new FormData(form);
      data.set("do", "autosave");
      const answer = await post(holder.dataset.autosave, data).catch(() => null);
      const found = answer && !answer.redirected ? await answer.json().catch(() => null) : null;
      if (found && answer.ok) {
        seen.value = found.seen;
        status.textContent = `✓ ${found.at}`;
        (found.keys || []).forEach((key, index) => { const field = form.elements[`step-${index}-key`]; if (field) field.value = key; });
      } else if (found) {
        status.textContent = found.problem;
        stopped = answer.status === 409;
      }
      busy = false;
      if (waiting) form.requestSubmit(waiting.button || undefined);
    };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(save, 2500); });
    /* A save under way is waited for: what is sent next must know its mark, or it would be in conflict with itself. */
    form.addEventListener("submit", (event) => {
      clearTimeout(timer);
      if (busy && !waiting) { event.preventDefault(); event.stopImmediatePropagation(); waiting = { button: event.submitter }; return; }
      stopped = true;
    }, true);
  }

  /* steps: Alt with an arrow moves the one with the cursor */
  const steps = document.querySelector("[data-steps]");
  const press = (owner, command) => {
    const button = document.createElement("button");
    button.name = "do";
    button.value = command;
    button.hidden = true;
    owner.append(button);
    owner.requestSubmit(button);
  };
  if (steps) {
    steps.addEventListener("keydown", (event) => {
      const step = event.target.closest("[data-step]");
      if (!step || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
      event.preventDefault();
      press(steps.closest("form"), `${event.key === "ArrowUp" ? "up" : "down"}:${[...steps.children].indexOf(step)}`);
    });
  }

  /* dragging by the grip: within the steps, or procedures among chapters */
  const draggable = (list, items, dropped) => {
    let dragged = null;
    let from = -1;
    list.addEventListener("pointerdown", (event) => {
      const grip = event.target.closest(".outline-grip");
      if (!grip) return;
      dragged = grip.closest(items);
      from = [...dragged.parentElement.children].indexOf(dragged);
      dragged.classList.add("is-dragged");
      grip.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    list.addEventListener("pointermove", (event) => {
      if (!dragged) return;
      const under = document.elementFromPoint(event.clientX, event.clientY);
      const other = under && under.closest(items);
      const into = under && under.closest("[data-sortable], [data-steps]");
      if (other && other !== dragged) {
        const box = other.getBoundingClientRect();
        other[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
      } else if (into && !other && !into.children.length) {
        into.append(dragged);
      }
    });
    const end = () => {
      if (!dragged) return;
      dragged.classList.remove("is-dragged");
      const item = dragged;
      dragged = null;
      dropped(item, from, [...item.parentElement.children].indexOf(item));
    };
    list.addEventListener("pointerup", end);
    list.addEventListener("pointercancel", end);
  };
  if (steps) draggable(steps, "[data-step]", (_item, from, to) => { if (from !== to) press(steps.closest("form"), `place:${from}:${to + 1}`); });
  const arrange = document.querySelector("[data-arrange]");
  if (arrange) {
    draggable(arrange, "[data-procedure]", async (item, _from, to) => {
      const data = new FormData();
      data.set("csrf_token", token.value);
      data.set("do", `move:${item.dataset.procedure}`);
      data.set("chapter", item.parentElement.dataset.sortable);
      data.set("position", String(to + 1));
      const answer = await post(arrange.action, data).catch(() => null);
      if (!answer || !answer.ok) location.reload();
    });
  }
})();
