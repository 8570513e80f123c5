/* Comfort of reading: the tree is open on wide screens, arrow keys turn the pages. */
"use strict";
(() => {
  const fold = document.querySelector("[data-wide-open]");
  if (fold && matchMedia("(min-width: 62rem)").matches) {
    fold.open = true;
    const here = fold.querySelector("a[aria-current]");
    if (here) {
      const part = here.closest(".book-part");
      if (part) part.open = true;
      const box = fold.parentElement;
      box.scrollTop = Math.max(0, here.offsetTop - box.clientHeight / 2);
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, summary, [role=region]")) return;
    const where = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const link = where && document.querySelector(`[data-turn="${where}"]`);
    if (link) link.click();
  });
})();
