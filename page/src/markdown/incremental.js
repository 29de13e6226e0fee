// Shows a text that grows, as markdown. Each update parses and changes the last blocks only.

import { create, patchChildren } from "./patch.js";
import { createParser } from "./parser.js";
import { blocksOf } from "./tree.js";
import { colour } from "./widgets.js";

/** Characters of a text that are markdown; what follows is plain. */
export const MAX_SOURCE = 512 * 1024;
/** Characters of a growing block. What follows is parsed as if the block had ended. */
const MAX_TAIL = 256 * 1024;

const parser = createParser();

/** Shows markdown that is complete. */
export function render(text) {
  const out = document.createElement("div");
  const shown = new Markdown(out);
  shown.update(text);
  shown.finish();
  return out;
}

/**
 * Markdown in an element that has no other children.
 *
 * A block is settled once the block after it has two complete lines: from then on it is not parsed
 * again, and its nodes do not change. `finish` parses the whole text once, since a reference at the
 * end may change a block at the beginning; it changes the nodes of those blocks only.
 */
export class Markdown {
  #out;
  #text = "";
  #start = 0; // where the unsettled text begins
  #settled = 0; // nodes of settled blocks
  #nodes = []; // of all blocks

  constructor(out) {
    this.#out = out;
  }

  /** Shows this text. A text that begins with the last one costs what was added. */
  update(text) {
    if (text === this.#text) return;
    if (!text.startsWith(this.#text)) this.#reset();
    this.#text = text;
    const tail = text.slice(this.#start, MAX_SOURCE);
    const blocks = parse(tail);
    this.#show(blocks.map(({ node }) => node), this.#settled);
    if (tail.length > MAX_TAIL) this.#settle(blocks.length, tail.length);
    else this.#settleBefore(blocks, tail);
    this.#showPlain();
  }

  /** The text is complete. */
  finish() {
    if (this.#text === "" || this.#text.length > MAX_SOURCE) return;
    const blocks = parse(this.#text);
    this.#show(blocks.map(({ node }) => node), 0);
    this.#colourFrom(this.#settled, this.#nodes.length);
    this.#settled = this.#nodes.length;
  }

  #reset() {
    this.#out.replaceChildren();
    this.#nodes = [];
    this.#start = this.#settled = 0;
  }

  #show(nodes, from) {
    patchChildren(this.#out, this.#nodes.slice(from), nodes, from);
    this.#nodes.length = from;
    for (const node of nodes) this.#nodes.push(node);
  }

  #settleBefore(blocks, tail) {
    const complete = tail.split("\n").length - 1;
    const last = blocks.findLastIndex(({ line }) => line + 2 <= complete);
    if (last > 0) this.#settle(last, offsetOf(tail, blocks[last].line));
  }

  #settle(count, length) {
    this.#start += length;
    this.#colourFrom(this.#settled, this.#settled + count);
    this.#settled += count;
  }

  #colourFrom(from, to) {
    for (let at = from; at < to; at += 1) {
      const node = this.#nodes[at];
      // Inside of lists and quotes too: each figure keeps its code.
      if (node.widget === "code") colour(this.#out.childNodes[at], node);
      else if (node.children) for (const [shown, inner] of codes(this.#out.childNodes[at], node)) colour(shown, inner);
    }
  }

  #showPlain() {
    if (this.#text.length <= MAX_SOURCE) return;
    let rest = this.#out.querySelector(":scope > .rest");
    if (!rest) {
      rest = create({ tag: "pre", attrs: { class: "rest", dir: "auto" }, children: [" "] });
      this.#out.append(rest);
    }
    rest.firstChild.data = this.#text.slice(MAX_SOURCE);
  }
}

function* codes(shown, node) {
  const found = [];
  collect(node, found);
  const figures = shown.querySelectorAll("figure.code");
  for (const [n, code] of found.entries()) if (figures[n]) yield [figures[n], code];
}

function collect(node, found) {
  if (node.widget === "code") found.push(node);
  for (const child of node.children ?? []) if (typeof child !== "string") collect(child, found);
}

function parse(text) {
  return blocksOf(parser.parse(text, { references: Object.create(null) }));
}

/** Where a line begins; lines end as in markdown-it. */
function offsetOf(text, line) {
  const ends = /\r\n|\n|\r/g;
  for (let n = 0; n < line; n += 1) if (!ends.exec(text)) return text.length;
  return ends.lastIndex;
}
