// Copying. Over http on a name other than localhost there is no clipboard API.

import { $ } from "./dom.js";

/** Copies a text; returns whether it was copied. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/** Copies with a selected field, which works without a secure context. Keeps focus and selection. */
function copyByCommand(text) {
  const held = document.getSelection()?.rangeCount ? document.getSelection().getRangeAt(0) : null;
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  // A modal dialog makes everything outside of it inert.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus?.({ preventScroll: true });
  if (held) {
    document.getSelection().removeAllRanges();
    document.getSelection().addRange(held);
  }
  return done;
}

/** Copies, and confirms it on the button; if copying fails, a dialog shows the text. */
export async function copyFrom(shown, text) {
  const label = (shown.dataset.label ??= shown.textContent);
  if (await copy(text)) {
    shown.textContent = "Copied";
    clearTimeout(Number(shown.dataset.timer));
    shown.dataset.timer = setTimeout(() => (shown.textContent = label), 1500);
    return true;
  }
  byHand(text);
  return false;
}

export function byHand(text) {
  $("by-hand-text").value = text;
  $("by-hand").showModal();
  $("by-hand-text").select();
}

/** One listener for the Copy buttons of all blocks of code in an element, now and later. */
export function copyCodeIn(root) {
  root.addEventListener("click", (event) => {
    const shown = event.target.closest?.(".code .copy");
    if (shown) copyFrom(shown, shown.closest(".code").querySelector("code").textContent);
  });
}
