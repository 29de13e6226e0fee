// The turns of a chat on the screen: painted once a frame, and followed to the end.

import { $ } from "../dom.js";
import { Sentences } from "../sentences.js";
import { TurnView } from "./turn.js";

/** Pixels from the end that count as the end. */
const NEAR = 60;
/** Of its time, painting takes a third at most: a long paint is followed by a longer pause. */
const REST = 2;
const MAX_ANNOUNCED = 30;
const ANNOUNCE_EVERY = 1500;

export class Log {
  #views = new Map(); // by turn
  #actions;
  #frame = 0;
  #waiting = new Set();
  #sentences = new Map(); // by turn
  #announcing = null;
  #follows = true;

  constructor(actions) {
    this.#actions = actions;
    const scroll = $("scroll");
    scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    $("end").addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#follow()).observe($("log"));
  }

  /** Shows these turns, and keeps the views of those that were shown. */
  show(turns) {
    const kept = new Map();
    for (const turn of turns) kept.set(turn, this.#views.get(turn) ?? new TurnView(turn, this.#actions));
    const isOther = ![...this.#views.keys()].some((turn) => kept.has(turn));
    this.#views = kept;
    $("log").replaceChildren(...[...kept.values()].map(({ item }) => item));
    $("empty").hidden = turns.length > 0;
    for (const view of kept.values()) view.paint();
    if (isOther) this.toEnd();
  }

  /** Adds one turn at the end. */
  add(turn) {
    const view = new TurnView(turn, this.#actions);
    this.#views.set(turn, view);
    $("log").append(view.item);
    $("empty").hidden = true;
  }

  /** Paints a turn with the next frame. */
  changed(turn) {
    if (!this.#views.has(turn)) return;
    this.#waiting.add(turn);
    this.#frame ||= requestAnimationFrame(() => this.#paint());
    this.#announceSoon(turn);
  }

  /** Paints a turn now: it is complete. */
  ended(turn) {
    this.#waiting.delete(turn);
    this.#views.get(turn)?.paint();
    if (!this.#views.has(turn)) return;
    clearTimeout(this.#announcing);
    this.#announcing = null;
    this.#announce(this.#sentencesOf(turn).rest(turn.text));
    this.#announce(turn.note?.text ?? "The answer is complete.");
    this.#sentences.delete(turn);
  }

  toEnd() {
    this.#follows = true;
    this.#follow();
  }

  #paint() {
    const begun = performance.now();
    for (const turn of this.#waiting) this.#views.get(turn)?.paint();
    this.#waiting.clear();
    const took = performance.now() - begun;
    if (took < 4) this.#frame = 0;
    else this.#frame = setTimeout(() => this.#again(), took * REST);
  }

  #again() {
    this.#frame = 0;
    if (this.#waiting.size) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #scrolled() {
    const box = $("scroll");
    this.#follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    $("end").hidden = this.#follows;
  }

  #follow() {
    if (this.#follows) $("scroll").scrollTop = $("scroll").scrollHeight;
    this.#scrolled();
  }

  // --- screen readers ---

  #sentencesOf(turn) {
    if (!this.#sentences.has(turn)) this.#sentences.set(turn, new Sentences());
    return this.#sentences.get(turn);
  }

  #announceSoon(turn) {
    this.#announcing ??= setTimeout(() => {
      this.#announcing = null;
      if (this.#views.has(turn)) this.#announce(this.#sentencesOf(turn).next(turn.text));
    }, ANNOUNCE_EVERY);
  }

  #announce(text) {
    if (!text) return;
    const line = document.createElement("p");
    line.textContent = text;
    $("announce").append(line);
    while ($("announce").children.length > MAX_ANNOUNCED) $("announce").firstChild.remove();
  }
}
