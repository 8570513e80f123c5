// Gives number fields of a what-if a slider each; without script the fields alone do the work.
"use strict";
for (const box of document.querySelectorAll("[data-sliders]")) {
  const fields = [...box.querySelectorAll("input[type=number], input[type=text]")];
  const sum = box.querySelector("[data-sliders-sum]");
  const show = () => {
    if (!sum) return;
    const left = Number(box.dataset.total) - fields.reduce((all, field) => all + (Number(field.value) || 0), 0);
    sum.textContent = (left < 0 ? box.dataset.missing : box.dataset.freed).replace("{n}", Math.abs(left));
  };
  for (const field of fields) {
    const slider = document.createElement("input");
    slider.type = "range";
    slider.className = "form-range";
    slider.min = field.min || "0";
    slider.max = field.max || "100";
    slider.value = field.value;
    const label = field.labels && field.labels[0];
    slider.setAttribute("aria-label", label ? label.textContent : field.name);
    slider.addEventListener("input", () => { field.value = slider.value; show(); });
    /* With the keyboard each step is a change: the page is asked for when the keys rest. */
    let byKeys = false, timer = null;
    slider.addEventListener("keydown", () => { byKeys = true; });
    slider.addEventListener("pointerdown", () => { byKeys = false; });
    slider.addEventListener("change", () => { clearTimeout(timer); timer = setTimeout(() => field.form.requestSubmit(), byKeys ? 900 : 0); });
    field.addEventListener("input", () => { slider.value = field.value; show(); });
    (field.closest(".affix") || field).after(slider);
  }
  show();
}
