// Dialogs. Each has a title, and is closed with Esc.

import { $ } from "../dom.js";
import { models } from "../session.js";
import * as session from "../session.js";
import * as words from "../words.js";

/** Asks for a choice; resolves to "yes", "other" or "". */
export function chosen(question, yes, other = "") {
  $("confirm-question").textContent = question;
  $("confirm-yes").textContent = yes;
  $("confirm-other").textContent = other;
  $("confirm-other").hidden = !other;
  return answered($("confirm"), () => $("confirm").returnValue);
}

/** Asks for a yes; resolves to whether it was given. */
export async function confirmed(question, action) {
  return (await chosen(question, action)) === "yes";
}

/** Asks for a text; resolves to it, or null. */
export function asked(question, value) {
  $("prompt-leave").onclick = () => $("prompt-dialog").close();
  $("prompt-question").textContent = question;
  $("prompt-value").value = value;
  return answered($("prompt-dialog"), () => ($("prompt-dialog").returnValue === "yes" ? $("prompt-value").value.trim() : null));
}

function answered(dialog, value) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(value()), { once: true }));
}

/**
 * The dialog for the key. It closes when the server has accepted one, or when the user leaves it;
 * a refused key is reported, and not kept.
 */
export class KeyDialog {
  #accepted;

  constructor(accepted) {
    this.#accepted = accepted;
    $("door-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try($("key").value.trim());
    });
    $("door-leave").addEventListener("click", () => $("door").close());
    $("door").addEventListener("close", () => ($("key").value = ""));
  }

  open(why = "") {
    $("door-error").textContent = why;
    if (!$("door").open) $("door").showModal();
    $("key").focus();
  }

  async #try(value) {
    if (!value) return this.open("Enter a key.");
    $("door-send").disabled = true;
    const list = await models(value);
    $("door-send").disabled = false;
    if (!$("door").open) return;
    if (list.status !== 200) return this.open(whyNot(list));
    session.keep(value);
    $("door").close();
    this.#accepted(list);
  }
}

function whyNot({ status, message }) {
  if (status === 0) return words.UNREACHABLE;
  return status === 401 ? words.WRONG_KEY : (message ?? words.WRONG_KEY);
}

const NUMBERS = { temperature: [0, 2], top_p: [0, 1], max_tokens: [1, 10_000_000] };

/** The dialog for the system prompt and the parameters of a chat. */
export class SettingsDialog {
  #done = () => {};

  constructor() {
    $("settings-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const { error, settings } = read();
      $("settings-error").textContent = error ?? "";
      if (error) return;
      $("settings").close();
      this.#done(settings);
    });
    $("settings-leave").addEventListener("click", () => $("settings").close());
  }

  open(settings, done) {
    this.#done = done;
    $("settings-error").textContent = "";
    for (const name of ["system", "reasoning_effort", ...Object.keys(NUMBERS)]) $(`set-${name}`).value = settings[name] ?? "";
    $("set-tools").value = settings.tools ? JSON.stringify(settings.tools, null, 2) : "";
    $("settings").showModal();
  }
}

/** The settings in the form, or the first error in it. */
function read() {
  const settings = {};
  for (const name of ["system", "reasoning_effort"]) if ($(`set-${name}`).value.trim()) settings[name] = $(`set-${name}`).value.trim();
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    const text = $(`set-${name}`).value.trim();
    if (!text) continue;
    const value = Number(text);
    if (!(value >= least && value <= most)) return { error: `${name} must be a number from ${least} to ${most}.` };
    if (name === "max_tokens" && !Number.isInteger(value)) return { error: "max_tokens must be a whole number." };
    settings[name] = value;
  }
  const tools = $("set-tools").value.trim();
  if (!tools) return { settings };
  try {
    settings.tools = JSON.parse(tools);
  } catch {
    return { error: "The tools are not valid JSON." };
  }
  return Array.isArray(settings.tools) ? { settings } : { error: "The tools must be a JSON array." };
}
