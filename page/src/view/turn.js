// One turn of a chat, and what can be done with it.

import { callId } from "../chat/request.js";
import { MAX_CALLS } from "../chat/run.js";
import { copyFrom } from "../copy.js";
import { button, element } from "../dom.js";
import { Markdown } from "/markdown.js";

/** Characters and lines of a message that are shown at once. */
const FOLD_CHARACTERS = 3000;
const FOLD_LINES = 20;

/**
 * The view of a turn: `item` is its element. `actions` are the page's: edit, regenerate, goOn,
 * choose, sendResults, enterKey; none for a watcher.
 */
export class TurnView {
  item;
  #turn;
  #actions;
  #markdown;
  #shown = {};

  constructor(turn, actions) {
    this.#turn = turn;
    this.#actions = actions;
    this.item = element("li", { class: `turn ${turn.role}` });
    if (turn.role === "user") this.#addMessage();
    else if (turn.role === "tool") this.#addResults();
    else this.#addAnswer();
    this.paint();
  }

  /** Shows the turn as it is now. Only what has changed is touched. */
  paint() {
    const turn = this.#turn;
    if (turn.role !== "assistant") return this.#paintActions();
    this.item.classList.toggle("live", Boolean(turn.live));
    this.item.setAttribute("aria-busy", String(Boolean(turn.live)));
    this.#paintReasoning();
    if (turn.text) this.#markdown.update(turn.text);
    if (!turn.live) this.#markdown.finish();
    this.#paintCalls();
    this.#paintCitations();
    this.#paintNote();
    this.#paintActions();
  }

  // --- a message ---

  #addMessage() {
    const { text, files = [] } = this.#turn;
    const body = element("div", { class: "body", dir: "auto" }, text);
    this.item.append(element("h2", { class: "hidden" }, "You:"));
    if (files.length) this.item.append(element("ul", { class: "files" }, ...files.map((file) => element("li", {}, fileView(file)))));
    if (text) this.item.append(body);
    if (text.length > FOLD_CHARACTERS || text.split("\n", FOLD_LINES + 1).length > FOLD_LINES) this.item.append(folded(body));
    this.#addActions();
  }

  #addResults() {
    const list = element("details", { class: "results" }, element("summary", {}, "Results of the tools"));
    for (const { name, text } of this.#turn.results) list.append(element("p", {}, element("strong", {}, name)), element("pre", { tabindex: "0", dir: "auto" }, text));
    this.item.append(element("h2", { class: "hidden" }, "Tools:"), list);
    this.#addActions();
  }

  // --- an answer ---

  #addAnswer() {
    const part = (name) => (this.#shown[name] = element("div", { class: name }));
    this.#shown.body = element("div", { class: "body" });
    this.#markdown = new Markdown(this.#shown.body);
    this.item.append(element("h2", { class: "hidden" }, "Answer:"), part("thinking"), this.#shown.body, part("calls"), part("sources"), part("outcome"));
    this.#addActions();
  }

  #paintReasoning() {
    const { reasoning, text } = this.#turn;
    if (!reasoning) return;
    if (!this.#shown.reasoning) {
      this.#shown.summary = element("summary");
      this.#shown.reasoning = element("p", { dir: "auto" }, "");
      this.#shown.reasoning.append(document.createTextNode(""));
      this.#shown.thinking.append(element("details", { class: "reasoning" }, this.#shown.summary, this.#shown.reasoning));
    }
    grow(this.#shown.reasoning.lastChild, reasoning);
    relabel(this.#shown.summary, this.#turn.live && !text ? "Thinking…" : "Reasoning");
  }

  #paintCalls() {
    const calls = (this.#turn.calls ?? []).slice(0, MAX_CALLS);
    for (const [n, call] of calls.entries()) {
      const view = this.#shown.calls.children[n] ?? this.#shown.calls.appendChild(callView());
      relabel(view.querySelector("summary"), `Tool call: ${call.name ?? "tool"}`);
      grow(view.querySelector("code").firstChild, pretty(call.arguments, this.#turn.live));
    }
    const canAnswer = calls.length && !this.#turn.live && this.#actions?.canAnswer(this.#turn);
    if (!canAnswer) this.#shown.results?.remove();
    else if (!this.#shown.results?.isConnected) this.#shown.calls.after((this.#shown.results = this.#resultsFields(calls)));
  }

  /** There is no tool here: a user who has called it elsewhere can send its result. */
  #resultsFields(calls) {
    const fields = calls.map(() => element("textarea", { rows: "2", dir: "auto" }));
    const send = () => this.#actions.sendResults(this.#turn, calls.map((call, n) => ({ id: callId(call, n), name: call.name ?? "tool", text: fields[n].value })));
    const labelled = calls.map((call, n) => element("label", {}, `Result of ${call.name ?? "the tool"}`, fields[n]));
    return element("div", { class: "answer-call" }, element("p", {}, "The model waits for the result. This page runs no tools: enter what the tool returns."), ...labelled, button("Send the result", send));
  }

  #paintCitations() {
    const cited = this.#turn.citations ?? [];
    const shown = this.#shown.sources;
    if (!cited.length || shown.dataset.count === String(cited.length)) return;
    shown.dataset.count = cited.length;
    const items = cited.map(({ url, title }) => element("li", {}, source(url, title)));
    shown.replaceChildren(element("details", {}, element("summary", {}, `Sources (${cited.length})`), element("ol", {}, ...items)));
  }

  #paintNote() {
    const { live, note } = this.#turn;
    const shown = this.#shown.outcome;
    if (live || !note) return shown.replaceChildren();
    if (shown.firstChild && shown.dataset.text === note.text) return;
    shown.dataset.text = note.text;
    shown.replaceChildren(element("p", { class: `note ${note.kind}` }, note.text, ...this.#ways(note).flatMap((way) => [" ", way])));
  }

  /** The ways on from an error. */
  #ways(note) {
    const turn = this.#turn;
    if (!this.#actions) return [element("a", { href: "/" }, "Open a chat of your own")];
    const ways = [];
    if (note.status === 401) ways.push(button("Enter a key", () => this.#actions.enterKey()));
    if (note.isPartial && turn.text) ways.push(button("Continue", () => this.#actions.goOn(turn)));
    if (note.kind === "error") ways.push(button("Try again", () => this.#actions.regenerate(turn)));
    return ways;
  }

  // --- actions ---

  #addActions() {
    this.#shown.actions = element("div", { class: "actions" });
    this.item.append(this.#shown.actions);
  }

  #paintActions() {
    const turn = this.#turn;
    const among = this.#actions?.versions(turn) ?? [turn];
    const state = `${Boolean(turn.live)} ${among.length} ${among.indexOf(turn)} ${Boolean(turn.text)}`;
    if (this.#shown.actions.dataset.state === state) return;
    this.#shown.actions.dataset.state = state;
    this.#shown.actions.replaceChildren(...this.#choices(among), ...this.#buttons());
  }

  #choices(among) {
    if (among.length < 2) return [];
    const at = among.indexOf(this.#turn);
    const to = (n, sign, label) => button(sign, () => this.#actions.choose(among[n]), { "aria-label": label, disabled: n < 0 || n >= among.length });
    return [element("span", { class: "versions" }, to(at - 1, "‹", "Previous version"), `${at + 1} / ${among.length}`, to(at + 1, "›", "Next version"))];
  }

  #buttons() {
    const { live, role, text } = this.#turn;
    const found = [];
    if (live || role === "tool") return found;
    if (text) found.push(button("Copy", (event) => copyFrom(event.currentTarget, this.#turn.text), { class: "copy-turn", "aria-label": role === "user" ? "Copy message" : "Copy answer" }));
    if (!this.#actions) return found;
    if (role === "user") found.push(button("Edit", () => this.#edit(), { "aria-label": "Edit message" }));
    else found.push(button("Regenerate", () => this.#actions.regenerate(this.#turn), { "aria-label": "Regenerate answer" }));
    return found;
  }

  #edit() {
    const field = element("textarea", { dir: "auto", rows: "3", "aria-label": "Edit your message" });
    field.value = this.#turn.text;
    const close = () => {
      form.remove();
      this.item.classList.remove("editing");
      this.#shown.actions.querySelector("[aria-label='Edit message']")?.focus();
    };
    const onsubmit = (event) => {
      event.preventDefault();
      close();
      if (field.value.trim()) this.#actions.edit(this.#turn, field.value.trim());
    };
    const onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    };
    const form = element("form", { class: "edit", onsubmit, onkeydown }, field, element("div", {}, button("Cancel", close), element("button", { type: "submit" }, "Send")));
    this.item.classList.add("editing");
    this.item.append(form);
    field.focus();
  }
}

function callView() {
  const code = element("code");
  code.append(document.createTextNode(""));
  return element("details", { class: "call" }, element("summary"), element("pre", { tabindex: "0", role: "region", "aria-label": "Arguments", dir: "ltr" }, code));
}

function pretty(json, live) {
  if (live) return json;
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function source(url, title) {
  if (!/^https?:\/\//i.test(url)) return title || url;
  return element("a", { href: url, rel: "noopener noreferrer", target: "_blank", dir: "auto" }, title || url);
}

/** A name, or an image of the user's own: a blob has no address that leads elsewhere. */
export function fileView({ name, type, blob }) {
  if (!blob || !/^image\/(png|jpeg|gif|webp)$/.test(type)) return element("span", { class: "file" }, name);
  const image = element("img", { alt: name, class: "thumb" });
  image.src = URL.createObjectURL(blob);
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  return image;
}

function folded(body) {
  body.classList.add("folded");
  const toggle = button("Show all", () => {
    const isFolded = body.classList.toggle("folded");
    toggle.textContent = isFolded ? "Show all" : "Show less";
    toggle.setAttribute("aria-expanded", String(!isFolded));
  }, { class: "fold", "aria-expanded": "false" });
  return toggle;
}

function grow(text, value) {
  if (text.data === value) return;
  if (value.startsWith(text.data)) text.appendData(value.slice(text.data.length));
  else text.data = value;
}

function relabel(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
