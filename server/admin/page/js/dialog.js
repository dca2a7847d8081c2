// The dialog that asks how long and why, and the notes at the edge of the page.

import { make } from "./format.js";

const byId = (id) => document.getElementById(id);

export const muteSpans = [["10m", "10 minutes"], ["1h", "1 hour"], ["6h", "6 hours"], ["1d", "1 day"], ["1w", "1 week"]];
export const banSpans = [["", "for good"], ["1h", "1 hour"], ["1d", "1 day"], ["1w", "1 week"], ["30d", "30 days"], ["365d", "a year"]];

/** A choice of durations in a box, the last of which is to type one. Returns a function that tells the chosen one. */
export function chooseSpan(box, spans) {
  const select = make("select"), typed = make("input");
  select.setAttribute("aria-label", box.dataset.label || "For");
  for (const [value, text] of [...spans, ["other", "other\u2026"]]) {
    const o = make("option", "", text);
    o.value = value;
    select.append(o);
  }
  typed.setAttribute("aria-label", "Duration");
  typed.placeholder = "90m, 36h, 10d";
  typed.hidden = true;
  select.addEventListener("change", () => {
    typed.hidden = select.value !== "other";
    typed.required = !typed.hidden;
    if (!typed.hidden) typed.focus();
  });
  box.replaceChildren(select, typed);
  return () => (typed.hidden ? select.value : typed.value);
}

/**
 * Asks for a reason and more, and calls act({for, reason, address}) with the answers. Stays open, with the error, while act throws.
 * spans: durations on offer, if any; address: offer to ban it too.
 */
export function ask({ title, verb, spans, address }, act) {
  const dialog = byId("act"), form = dialog.querySelector("form");
  byId("act-title").textContent = title;
  byId("act-do").textContent = verb;
  byId("act-for-label").hidden = !spans;
  const span = spans ? chooseSpan(byId("act-for"), spans) : () => "";
  byId("act-address-label").hidden = !address;
  byId("act-address-label").querySelector("span").textContent = "also everybody at " + (address || "");
  byId("act-address").checked = false;
  byId("act-reason").value = "";
  byId("act-error").textContent = "";
  form.onsubmit = async (e) => {
    e.preventDefault();
    byId("act-do").disabled = true;
    try {
      await act({
        for: span(), reason: byId("act-reason").value,
        address: address && byId("act-address").checked ? address : "",
      });
      dialog.close();
    } catch (error) {
      byId("act-error").textContent = error.message;
    } finally {
      byId("act-do").disabled = false;
    }
  };
  byId("act-cancel").onclick = () => dialog.close();
  dialog.showModal();
  byId("act-reason").focus();
}

/** Shows a sentence for a few seconds. */
export function toast(sentence, bad = false) {
  const note = make("p", bad ? "toast bad" : "toast", sentence);
  const toasts = byId("toasts");
  toasts.append(note);
  while (toasts.children.length > 4) toasts.firstChild.remove();
  setTimeout(() => note.remove(), bad ? 9000 : 5000);
}
