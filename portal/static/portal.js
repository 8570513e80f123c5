/* Comfort for people with script; every page works without it. No inline code, no eval, nothing kept but drafts of text
   in sessionStorage. Parts: helpers, menus, keyboard, dialogs, picker, palette, lists, forms, small things. */
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const words = ($("#words") || { dataset: {} }).dataset;
  const base = document.body.dataset.root || "";
  const say = (text) => { const live = $("#live"); if (live) { live.textContent = ""; setTimeout(() => { live.textContent = text; }, 50); } };
  const fill = (text, values) => (text || "").replace(/\{(\w+)\}/g, (_all, key) => values[key]);
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
    node.append(...children);
    return node;
  };
  const later = (work, delay) => { let timer; return (...args) => { clearTimeout(timer); timer = setTimeout(() => work(...args), delay); }; };
  const typing = (node) => node && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) && !/^(checkbox|radio|button|submit)$/.test(node.type));
  /* This page with another query. Not every browser in use knows the size of a query. */
  const withQuery = (query) => location.pathname + (String(query) ? `?${query}` : "");
  const sameOrigin = (address) => { try { return new URL(address, location.href).origin === location.origin; } catch { return false; } };

  /* ---- menus: close on a click elsewhere and on Escape; arrows move ---- */
  document.addEventListener("click", (event) => {
    for (const menu of $$("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches && event.target.matches("details[data-menu]") && event.target.open)
      for (const other of $$("details[data-menu][open]")) if (other !== event.target && !other.contains(event.target)) other.open = false;
  }, true);
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest && event.target.closest("details[data-menu]");
    if (menu && menu.open) {
      if (event.key === "Escape") { menu.open = false; $("summary", menu).focus(); event.preventDefault(); return; }
      if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !typing(event.target)) {
        const items = [$("summary", menu), ...$$(".menu-item", menu)].filter((item) => item.offsetParent);
        const step = event.key === "ArrowDown" ? 1 : -1;
        items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
        event.preventDefault();
      }
    }
    const toggle = $("#nav-open");
    if (event.key === "Escape" && toggle && toggle.checked) { toggle.checked = false; toggle.focus(); }
    if (event.key === "Enter" && event.target === toggle) toggle.checked = !toggle.checked;
  });

  /* ---- keyboard ---- */
  let prefix = "";
  const rows = () => $$("table.list tbody tr").filter((row) => row.offsetParent);
  const current = () => $("table.list tr.current");
  const moveTo = (row) => {
    if (!row) return;
    const before = current();
    if (before) before.classList.remove("current");
    row.classList.add("current");
    const target = $("th a", row) || $("input, a", row);
    if (target) target.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const openDialog = (id) => { const dialog = document.getElementById(id); if (dialog && !dialog.open) { dialog.showModal(); dialog.dispatchEvent(new Event("opened")); } };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openDialog("palette"); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || $("dialog[open]")) return;
    const key = event.key;
    if (prefix === "g") {
      prefix = "";
      const link = key === "h" ? $(".brand") : /^[1-9]$/.test(key) ? $$(".sidebar a")[key - 1] : $(`[data-go="${CSS.escape(key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (key === "g") { prefix = "g"; setTimeout(() => { prefix = ""; }, 1200); return; }
    if (key === "/") { const field = $("#search"); if (field) { event.preventDefault(); field.focus(); field.select(); } return; }
    if (key === "?") { event.preventDefault(); openDialog("shortcuts"); return; }
    if (key === "j" || key === "k") {
      const all = rows(); if (!all.length) return;
      const at = all.indexOf(current());
      event.preventDefault();
      moveTo(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + (key === "j" ? 1 : -1)))]);
    } else if (key === "x" && current()) {
      const box = $("input[name=ids]", current());
      if (box) { event.preventDefault(); box.click(); }
    } else if (/^[a-z]$/.test(key)) {
      const action = $(`[data-key="${key}"]`); // links that name their key: a approve, r reject …
      if (action) { event.preventDefault(); action.click(); }
    }
  });

  /* ---- dialogs ---- */
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) { const menu = opener.closest("details"); if (menu) menu.open = false; openDialog(opener.dataset.open); }
    if (event.target.tagName === "DIALOG") event.target.close();
    const closer = event.target.closest("[data-dismiss]");
    if (closer) closer.parentElement.remove();
    if (event.target.closest("[data-back]") && history.length > 1) { event.preventDefault(); history.back(); }
  });
  const ask = (text, dangerous) => new Promise((resolve) => {
    const dialog = $("#confirm");
    if (!dialog || !dialog.showModal) { resolve(window.confirm(text)); return; }
    $("#confirm-text").textContent = text;
    const yes = $("[data-yes]", dialog);
    yes.className = "btn " + (dangerous ? "btn-danger" : "btn-primary");
    let answer = false;
    yes.onclick = () => { answer = true; dialog.close(); };
    $("[data-no]", dialog).onclick = () => dialog.close();
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    dialog.showModal();
    (dangerous ? $("[data-no]", dialog) : yes).focus();
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const text = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
    if (!text || form.dataset.agreed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = event.submitter;
    if (await ask(text, Boolean(button && button.matches(".btn-danger, .danger")))) {
      form.dataset.agreed = "1";
      form.append(make("input", { type: "hidden", name: "confirmed", value: "1" }));
      form.requestSubmit(button || undefined);
    }
  }, true);
  /* A second click on a form under way does nothing. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const button = event.submitter;
    if (button && button.classList.contains("btn")) setTimeout(() => button.classList.add("busy"), 150);
    setTimeout(() => { delete form.dataset.sent; delete form.dataset.agreed; if (button) button.classList.remove("busy"); }, 8000);
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) $$("form[data-sent]").forEach((form) => { delete form.dataset.sent; $$(".busy", form).forEach((b) => b.classList.remove("busy")); }); });

  /* ---- combobox: one for the picker and for the palette (ARIA 1.2) ---- */
  let serial = 0;
  class Combobox {
    constructor(input, list, options) {
      Object.assign(this, { input, list, at: -1, items: [], open: false, ...options });
      this.asked = 0;
      this.request = null;
      const ask = later(() => this.load(), 160);
      input.addEventListener("input", (event) => { if (!event.isComposing) { this.typed && this.typed(); ask(); } });
      input.addEventListener("compositionend", () => { this.typed && this.typed(); ask(); });
      input.addEventListener("keydown", (event) => this.key(event));
      list.addEventListener("mousedown", (event) => event.preventDefault());
      list.addEventListener("click", (event) => { const option = event.target.closest("[role=option]"); if (option) this.choose(Number(option.dataset.at), event); });
    }
    async load() {
      const turn = ++this.asked;
      if (this.request) this.request.abort();
      this.request = new AbortController();
      try {
        const address = this.source + (this.source.includes("?") ? "&" : "?") + "q=" + encodeURIComponent(this.input.value.trim());
        const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin", signal: this.request.signal });
        if (answer.status === 429) { const refusal = await answer.json(); if (turn === this.asked) this.show([], refusal.message); return; }
        if (!answer.ok || !(answer.headers.get("Content-Type") || "").includes("json")) throw new Error(String(answer.status));
        const found = await answer.json();
        if (turn === this.asked) this.show(Array.isArray(found) ? found : []);
      } catch (error) {
        if (error.name !== "AbortError" && turn === this.asked) this.show([], words.offline);
      }
    }
    show(items, note) {
      this.items = this.extra ? [...items, ...this.extra(this.input.value.trim(), items)] : items;
      this.list.replaceChildren();
      let group = null;
      this.items.forEach((item, at) => {
        if (item.group && item.group !== group) { group = item.group; this.list.append(make("div", { class: "palette-group", role: "presentation" }, group)); }
        const option = make("div", { class: "option", role: "option", id: `${this.list.id}-${at}`, "data-at": at, "aria-selected": "false" }, make("span", {}, item.label));
        if (item.hint) option.append(make("span", { class: "option-hint" }, item.hint));
        this.list.append(option);
      });
      if (!items.length) this.list.append(make("div", { class: "option-note", role: "presentation" }, note || words.none || ""));
      this.expand(true);
      this.mark(this.first && this.items.length ? 0 : -1);
      say(items.length ? fill(words.results, { n: items.length }) : note || words.none);
    }
    expand(open) {
      this.open = open;
      this.input.setAttribute("aria-expanded", String(open));
      if (!this.always) this.list.hidden = !open;
      if (!open) this.input.removeAttribute("aria-activedescendant");
    }
    mark(at) {
      this.at = at;
      $$("[role=option]", this.list).forEach((option) => option.setAttribute("aria-selected", String(Number(option.dataset.at) === at)));
      const option = at >= 0 && document.getElementById(`${this.list.id}-${at}`);
      if (option) { this.input.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); } else this.input.removeAttribute("aria-activedescendant");
    }
    key(event) {
      if (event.isComposing) return;
      const count = this.items.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (!this.open) { this.load(); return; }
        if (count) this.mark((this.at + (event.key === "ArrowDown" ? 1 : -1) + count + (this.at < 0 && event.key === "ArrowUp" ? 1 : 0)) % count);
      } else if (event.key === "Enter" && this.open && this.at >= 0) { event.preventDefault(); this.choose(this.at, event); }
      else if (event.key === "Escape" && this.open && !this.always) { event.preventDefault(); event.stopPropagation(); this.expand(false); }
      else if (event.key === "Tab" && this.open && !this.always) { if (this.at >= 0) this.choose(this.at, event); else this.expand(false); }
    }
    choose(at, event) { const item = this.items[at]; if (item) { if (!this.always) this.expand(false); this.chosen(item, event); } }
  }

  const startPicker = (box) => {
    const input = $("input[type=text]", box);
    const value = $("[data-picker-value]", box);
    const list = make("div", { class: "options-list", role: "listbox", id: `options-${++serial}`, hidden: true });
    const label = $(`label[for="${CSS.escape(input.id)}"]`);
    if (label) list.setAttribute("aria-label", label.textContent.trim());
    box.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    /* Back from creating what was missing: it is chosen, whatever stood there before; once, so that it can be taken out again. */
    const came = new URLSearchParams(location.search);
    if (came.get("picked") === value.name) {
      value.value = came.get("picked_value");
      input.value = came.get("picked_text");
      for (const name of ["picked", "picked_value", "picked_text"]) came.delete(name);
      history.replaceState(null, "", withQuery(came));
      value.dispatchEvent(new Event("change", { bubbles: true }));
    }
    let settled = input.value;
    const combobox = new Combobox(input, list, {
      source: box.dataset.picker,
      typed: () => { if (input.value !== settled) { value.value = ""; settled = null; } },
      extra: (text, found) => box.dataset.create && text && !found.some((item) => item.label === text)
        ? [{ label: fill(words.create, { name: text }), create: text }] : [],
      chosen: (item) => {
        if (item.create) {
          const [address, back] = [new URL(box.dataset.create, location.href), new URL((input.form && input.form.dataset.page) || location.href, location.href)];
          for (const name of ["picked", "picked_value", "picked_text"]) back.searchParams.delete(name);
          for (const [name, text] of [["name", item.create], ["next", back.pathname + back.search], ["picker", value.name]]) address.searchParams.set(name, text);
          if (store && input.form && input.form.dataset.draft) write(input.form);
          leaving = true;
          if (sameOrigin(address)) location.assign(address);
          return;
        }
        value.value = item.value;
        input.value = settled = item.label;
        value.dispatchEvent(new Event("change", { bubbles: true }));
        say(item.label);
      },
    });
    input.addEventListener("blur", () => combobox.expand(false));
    input.addEventListener("click", () => { if (!combobox.open && !input.value) combobox.load(); });
  };

  const palette = $("#palette");
  if (palette && palette.showModal) {
    const input = $("input", palette);
    const combobox = new Combobox(input, $("#palette-list"), {
      source: palette.dataset.palette, always: true, first: true,
      chosen: (item, event) => {
        if (!sameOrigin(item.url)) return;
        if (event && (event.ctrlKey || event.metaKey)) window.open(item.url, "_blank", "noopener"); else location.assign(item.url);
      },
    });
    palette.addEventListener("opened", () => { input.value = ""; input.focus(); combobox.load(); });
  }

  /* ---- lists ---- */
  let lastBox = null;
  const announce = later(() => { const n = $$("input[name=ids]:checked").length; say(fill(words.selected, { n })); const page = $("[data-select-page]"); if (page) { const all = $$("input[name=ids]").length; page.checked = n > 0 && n === all; page.indeterminate = n > 0 && n < all; } }, 60);
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (box.name === "ids" && box.type === "checkbox") {
      const all = $$("input[name=ids]");
      if (event.shiftKey && lastBox && all.includes(lastBox)) {
        const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
        all.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
      }
      lastBox = box;
      announce();
    } else if (box.matches && box.matches("[data-select-page]")) { $$("input[name=ids]").forEach((other) => { other.checked = box.checked; }); announce(); }
    else {
      const row = box.closest && box.closest("table.list tbody tr");
      if (row && !event.defaultPrevented && !box.closest("a, button, input, label, summary, form, .sel") && !String(getSelection())) {
        const link = $("th a", row);
        if (link) { if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener"); else link.click(); }
      }
    }
  });
  document.addEventListener("reset", () => setTimeout(announce, 0));
  const prepareLive = (form) => {
    const listing = form.closest("[data-listing]");
    const field = $("input[name=q]", form);
    if (!listing || !field) return;
    let request = null;
    const load = later(async () => {
      const query = new URLSearchParams();
      for (const [key, value] of new FormData(form)) if (value !== "") query.append(key, value);
      const address = withQuery(query);
      if (request) request.abort();
      request = new AbortController();
      listing.classList.add("loading");
      try {
        const answer = await fetch(address, { credentials: "same-origin", signal: request.signal });
        if (!answer.ok || answer.redirected) { location.assign(address); return; }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = $("[data-listing]", page);
        if (!fresh) { location.assign(address); return; }
        $("[data-result]", listing).replaceWith($("[data-result]", fresh));
        const [chips, freshChips] = [$(":scope > .chips", listing), $(":scope > .chips", fresh)];
        if (chips) chips.remove();
        if (freshChips) $("[data-result]", listing).before(freshChips);
        const [end, freshEnd] = [$(".toolbar-end", listing), $(".toolbar-end", fresh)];
        if (end && freshEnd) end.replaceWith(freshEnd);
        history.replaceState(null, "", address);
        const status = $("[data-status]", listing);
        say(status ? status.textContent : words.none);
      } catch (error) { if (error.name !== "AbortError") say(words.offline); }
      finally { listing.classList.remove("loading"); }
    }, 260);
    field.addEventListener("input", (event) => { if (!event.isComposing) load(); });
    field.addEventListener("compositionend", load);
  };

  /* ---- forms: warn about unsaved input, keep drafts ---- */
  const store = (() => { try { const probe = window.sessionStorage; probe.getItem("x"); return probe; } catch { return null; } })();
  const user = document.body.dataset.user || "";
  const draftName = (form) => `draft:${form.dataset.draft}`;
  /* A form that is edited in another page's place says which page is its own. */
  const pageOf = (form) => form.dataset.page || location.pathname;
  const secret = /(phone|mobile|tel|password|passwd|secret|token|code|otp|id_?card|id_?number|passport|bank|account_?no)/i;
  const keepable = (field) => field.name && !field.disabled && !field.readOnly && !field.closest("[data-sensitive]") && !("sensitive" in field.dataset)
    && !secret.test(field.name) && (field.closest("[data-picker]") || field.autocomplete !== "off"
    && (field.tagName === "TEXTAREA" || field.tagName === "SELECT" || /^(text|search|url|date|month|number|checkbox|radio)$/.test(field.type)));
  const state = (field) => /^(checkbox|radio)$/.test(field.type) ? field.checked : field.multiple ? [...field.selectedOptions].map((o) => o.value) : field.value;
  const original = (field) => /^(checkbox|radio)$/.test(field.type) ? field.defaultChecked : field.tagName === "SELECT" ? [...field.options].filter((o) => o.defaultSelected).map((o) => o.value).join("\n") : field.defaultValue;
  const changed = (field) => field.tagName === "SELECT" ? [...field.selectedOptions].map((o) => o.value).join("\n") !== (original(field) || (field.multiple ? "" : (field.options[0] || {}).value)) : state(field) !== original(field);
  const dirty = (form) => [...form.elements].some((field) => field.name && !/^(hidden|submit|button|fieldset)$/.test(field.type) && (field.type === "file" ? field.files.length : changed(field)));
  const write = (form) => {
    const data = {};
    for (const field of form.elements) if (keepable(field)) {
      const key = /^(checkbox|radio)$/.test(field.type) ? `${field.name}=${field.value}` : field.name;
      data[key] = state(field);
    }
    try { store.setItem(draftName(form), JSON.stringify({ user, path: pageOf(form), data })); } catch { /* full: no draft */ }
  };
  const restore = (form) => {
    let draft = null;
    try { draft = JSON.parse(store.getItem(draftName(form)) || "null"); } catch { /* broken: as if there were none */ }
    if (!draft || draft.user !== user || draft.path !== pageOf(form) || "errors" in form.dataset) return;
    let count = 0;
    for (const field of form.elements) if (keepable(field)) {
      const key = /^(checkbox|radio)$/.test(field.type) ? `${field.name}=${field.value}` : field.name;
      if (!(key in draft.data) || JSON.stringify(draft.data[key]) === JSON.stringify(state(field))) continue;
      if (field.type === "hidden") field.dataset.first = field.value; // a reset does not put hidden values back
      if (/^(checkbox|radio)$/.test(field.type)) field.checked = draft.data[key];
      else if (field.multiple) for (const option of field.options) option.selected = draft.data[key].includes(option.value);
      else field.value = draft.data[key];
      count += 1;
    }
    if (!count) return;
    const discard = make("button", { type: "button", class: "btn btn-sm btn-secondary" }, words.discard || "×");
    const note = make("div", { class: "flash flash-info", role: "status" }, make("p", {}, words.restored || ""), discard);
    discard.addEventListener("click", () => {
      store.removeItem(draftName(form));
      form.reset();
      for (const field of form.elements) if ("first" in field.dataset) field.value = field.dataset.first;
      note.remove();
    });
    form.prepend(note);
  };
  const keepDraft = (form) => {
    restore(form);
    const keep = later(() => { if (!form.isConnected) return; if (dirty(form)) write(form); else store.removeItem(draftName(form)); }, 400);
    form.addEventListener("input", keep);
    form.addEventListener("change", keep);
    form.addEventListener("submit", (event) => { if (!event.defaultPrevented) { write(form); store.setItem("draft-sent", draftName(form)); } });
  };
  if (store) {
    /* After a submit the draft stays until a page came that neither shows the form again nor is a log-in or error page. */
    const sent = store.getItem("draft-sent");
    if (sent) {
      if (document.body.dataset.page === "app") {
        const again = $$("form[data-draft]").find((form) => draftName(form) === sent);
        if (!again || !("errors" in again.dataset)) store.removeItem(sent);
        store.removeItem("draft-sent");
      }
    }
    if (user) for (let at = store.length - 1; at >= 0; at -= 1) {
      const key = store.key(at);
      if (key && key.startsWith("draft:")) { try { if (JSON.parse(store.getItem(key)).user !== user) store.removeItem(key); } catch { store.removeItem(key); } }
    }
    $$("form[data-draft]").forEach(keepDraft);
  }
  let leaving = false;
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented) { leaving = true; setTimeout(() => { leaving = false; }, 3000); } });
  window.addEventListener("beforeunload", (event) => { if (!leaving && $$("form[data-guard]").some(dirty)) { event.preventDefault(); event.returnValue = words.unsaved || ""; } });

  /* ---- small things ---- */
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch {
      const field = make("textarea", { class: "visually-hidden" }); field.value = button.dataset.copy; document.body.append(field); field.select(); document.execCommand("copy"); field.remove(); button.focus();
    }
    const use = $("use", button); const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#check-lg"));
    say(words.copied);
    setTimeout(() => use.setAttribute("href", before), 1500);
  });
  /* A masked value is shown in place for half a minute; the answer is {"value": …}. Anything else: the form is sent as usual. */
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-reveal]") || form.dataset.plain) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = $("[data-masked]", form.parentElement);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, credentials: "same-origin" });
      const found = await answer.json();
      if (!answer.ok || typeof found.value !== "string") throw new Error("refused");
      const before = text.textContent;
      text.textContent = found.value;
      form.hidden = true;
      say(found.value);
      setTimeout(() => { text.textContent = before; form.hidden = false; }, 30000);
    } catch { form.dataset.plain = "1"; form.submit(); }
  }, true);
  /* A part of a page is edited in its place: the form behind the link comes into the panel. Whatever answers otherwise is opened as a page. */
  const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");
  const placed = (part) => {
    const names = new Set($$("[id]", part).map((one) => one.id));
    const own = (text) => text.split(" ").map((name) => names.has(name) ? `part-${name}` : name).join(" ");
    for (const one of $$("[id]", part)) one.id = `part-${one.id}`;
    for (const name of ["for", "aria-describedby", "aria-labelledby"]) for (const one of $$(`[${name}]`, part)) one.setAttribute(name, own(one.getAttribute(name)));
    for (const one of $$("a[href^='#']", part)) one.setAttribute("href", `#${own(one.getAttribute("href").slice(1))}`);
    for (const form of $$("form", part)) form.dataset.page = new URL(form.getAttribute("action") || location.href, location.href).pathname;
    if (store) $$("form[data-draft]", part).forEach(keepDraft);
    $$("[data-picker]", part).forEach(startPicker);
    setTimeout(() => { const first = $("[data-focus]", part) || $(".form-control, .form-select, input[type=radio]", part); if (first) first.focus(); }, 0);
    return part;
  };
  const put = (panel, part) => {
    const body = $(".panel-body", panel);
    if (!panel.shown) panel.shown = [...body.childNodes];
    body.replaceChildren(placed(part));
    for (const link of $$("a[data-inplace]", panel)) link.hidden = true;
  };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest && event.target.closest("a");
    const panel = link && link.closest(".panel[id]");
    if (!panel || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (panel.shown && link.matches("[data-part] .form-actions a")) {
      event.preventDefault();
      if (store) for (const form of $$("form[data-draft]", panel)) store.removeItem(draftName(form));
      $(".panel-body", panel).replaceChildren(...panel.shown);
      panel.shown = null;
      for (const one of $$("a[data-inplace]", panel)) { one.hidden = false; one.focus(); }
    } else if (link.matches("[data-inplace]")) {
      event.preventDefault();
      try {
        const answer = await fetch(link.href, { credentials: "same-origin" });
        const part = answer.ok && !answer.redirected ? $("[data-part]", await parsed(answer)) : null;
        if (part) put(panel, part); else location.assign(link.href);
      } catch { location.assign(link.href); }
    }
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const panel = form.closest("[data-part]") && form.closest(".panel[id]");
    if (!panel || !panel.shown || form.dataset.plain) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.sent) return;
    form.dataset.sent = "1";
    const kept = store && form.dataset.draft;
    const [version] = $$("input[name=version]", form).map((field) => field.value);
    if (kept) write(form);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
      const page = await parsed(answer);
      const part = $("[data-part]", page);
      if (part && !answer.redirected) { $("[data-part]", panel).replaceWith(placed(part)); return; }
      if (!answer.ok || !answer.redirected || new URL(answer.url).pathname !== location.pathname) throw new Error("another page");
      for (const name of [".page-head", ".breadcrumbs", ".flashes", "#timeline", `#${CSS.escape(panel.id)}`]) {
        const [old, fresh] = [$(`main ${name}`), $(`main ${name}`, page)];
        if (old && fresh && name === ".flashes") old.replaceChildren(...fresh.childNodes);
        else if (old && fresh) old.replaceWith(fresh);
      }
      document.title = page.title;
      if (kept) store.removeItem(draftName(form));
      /* Other parts that are open go on from the new version, as far as they show the one that it was made from. */
      for (const other of $$("[data-part] input[name=version]")) if (other.value === version) other.value = $("main .page-head").dataset.version;
      const again = $(`#${CSS.escape(panel.id)} a[data-inplace]`);
      if (again) again.focus();
    } catch {
      if (kept) store.setItem("draft-sent", draftName(form));
      form.dataset.plain = "1";
      form.submit();
    }
  }, true);
  /* A job under way: the element is fetched again until it says that it is over. */
  const poll = (box) => {
    const wait = Number(box.dataset.interval || 1500);
    const step = async () => {
      if (document.hidden) { setTimeout(step, wait); return; }
      try {
        const answer = await fetch(box.dataset.poll || location.href, { credentials: "same-origin" });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById(box.id);
        if (!answer.ok || !fresh) { location.reload(); return; }
        box.replaceChildren(...fresh.childNodes);
        if (!("poll" in fresh.dataset)) { if ("reload" in box.dataset) location.reload(); return; }
      } catch { /* the network comes back */ }
      setTimeout(step, wait);
    };
    setTimeout(step, wait);
  };
  for (const zone of $$("[data-drop]")) {
    const field = $("input[type=file]", zone);
    for (const kind of ["dragover", "dragleave", "drop"]) zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.toggle("over", kind === "dragover"); if (kind === "drop" && field && event.dataTransfer.files.length) { field.files = event.dataTransfer.files; field.dispatchEvent(new Event("change", { bubbles: true })); } });
  }
  /* A table that is wider than its place can be scrolled by keyboard: it takes the focus while it has to be scrolled. */
  const wide = $$(".table-wrap:not([tabindex]), .table-scroll:not([tabindex])");
  if (wide.length) {
    const reach = new ResizeObserver((found) => {
      for (const { target } of found) {
        if (target.scrollWidth > target.clientWidth) target.tabIndex = 0; else target.removeAttribute("tabindex");
      }
    });
    wide.forEach((box) => reach.observe(box));
  }
  /* Which areas of the menu are unfolded is remembered on this device; the server draws the next page so. */
  const areas = $$(".nav-area[data-area]");
  for (const area of areas) area.addEventListener("toggle", () => {
    const open = areas.filter((one) => one.open).map((one) => one.dataset.area).join(".");
    document.cookie = `portal_areas=${open}; path=${document.body.dataset.root || "/"}; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  });
  $$("[data-picker]").forEach(startPicker);
  $$("form[data-live]").forEach(prepareLive);
  $$("[data-poll]").forEach(poll);
  const wrong = $("[data-focus]");
  if (wrong) wrong.focus();
})();
