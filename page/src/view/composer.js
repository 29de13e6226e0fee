// The form for a message: its draft survives a reload; files come by button, paste or drop.

import { MAX_FILES, readFile } from "../chat/files.js";
import { $, button, element, notice } from "../dom.js";
import { fileView } from "./turn.js";

/** Characters of a draft that are kept. */
const MAX_DRAFT = 200_000;

export class Composer {
  #files = [];
  #chat = null;
  #send;

  /** `send({text, files})` returns whether the message was taken. */
  constructor(send) {
    this.#send = send;
    $("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    $("prompt").addEventListener("input", () => this.#changed());
    $("prompt").addEventListener("keydown", (event) => this.#key(event));
    $("prompt").addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) {
        event.preventDefault();
        this.#add(event.clipboardData.files);
      }
    });
    $("attach").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", async () => {
      await this.#add($("file").files);
      $("file").value = "";
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.#add(event.dataTransfer.files);
    });
  }

  /** Shows the draft of a chat; "" is the chat that is not begun. */
  open(chat) {
    // What was written before the page was ready stays.
    const written = this.#chat === null ? $("prompt").value : "";
    this.#chat = chat;
    this.#files = [];
    $("prompt").value = sessionStorage.getItem(this.#name) ?? written;
    $("send").disabled = false;
    this.#paintFiles();
    this.#grow();
  }

  /** The chat has begun, and has an id from now on. */
  begin(chat) {
    sessionStorage.removeItem(this.#name);
    this.#chat = chat;
  }

  submit() {
    const message = { text: $("prompt").value.trim(), files: this.#files };
    if ((!message.text && !message.files.length) || !this.#send(message)) return;
    $("prompt").value = "";
    this.#files = [];
    this.#paintFiles();
    this.#changed();
  }

  get #name() {
    return `draft:${this.#chat}`;
  }

  #changed() {
    this.#grow();
    const text = $("prompt").value;
    try {
      if (text && text.length <= MAX_DRAFT) sessionStorage.setItem(this.#name, text);
      else sessionStorage.removeItem(this.#name);
    } catch {
      // The tab's storage is full: the draft stays on the page alone.
    }
  }

  #key(event) {
    // On a touch keyboard there is no Shift+Enter.
    const isSend = event.key === "Enter" && !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches;
    if (!isSend) return;
    event.preventDefault();
    this.submit();
  }

  #grow() {
    const box = $("prompt");
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 200)}px`;
  }

  async #add(files) {
    for (const file of [...files]) {
      if (this.#files.length >= MAX_FILES) return notice(`A message can have ${MAX_FILES} files.`);
      try {
        this.#files.push(await readFile(file));
      } catch (error) {
        notice(error.message);
      }
    }
    this.#paintFiles();
  }

  #paintFiles() {
    $("files").hidden = this.#files.length === 0;
    $("files").replaceChildren(...this.#files.map((file) => {
      const remove = button("×", () => {
        this.#files = this.#files.filter((each) => each !== file);
        this.#paintFiles();
      }, { "aria-label": `Remove ${file.name}` });
      return element("li", {}, fileView(file), remove);
    }));
  }
}
