/* Board of opportunities: cards can be dragged. Without script, or with the keyboard, the menu of each card does the same. */
"use strict";
(() => {
  const board = document.querySelector("[data-board]");
  if (!board || !window.matchMedia("(pointer: fine)").matches) return;
  let card = null;
  for (const item of board.querySelectorAll("[data-card]")) {
    item.draggable = true;
    item.addEventListener("dragstart", (event) => { card = item; item.classList.add("is-dragged"); event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", item.dataset.card); });
    item.addEventListener("dragend", () => { item.classList.remove("is-dragged"); card = null; board.querySelectorAll(".is-over").forEach((column) => column.classList.remove("is-over")); });
  }
  const send = (address, fields) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = address;
    for (const [name, value] of Object.entries(fields)) { const input = document.createElement("input"); input.type = "hidden"; input.name = name; input.value = value; form.append(input); }
    document.body.append(form);
    form.submit();
  };
  for (const column of board.querySelectorAll("[data-stage]")) {
    column.addEventListener("dragover", (event) => { if (card) { event.preventDefault(); column.classList.add("is-over"); } });
    column.addEventListener("dragleave", (event) => { if (!column.contains(event.relatedTarget)) column.classList.remove("is-over"); });
    column.addEventListener("drop", (event) => {
      if (!card || column.contains(card)) return;
      event.preventDefault();
      send(card.dataset.move, { csrf_token: board.dataset.token, stage: column.dataset.stage, version: card.dataset.version, next: board.dataset.next });
    });
  }
})();
