// What a screen reader hears of an answer: complete sentences, not tokens.

/** Characters of one announcement. */
const MAX_SPOKEN = 2000;
const END = /(?:[.!?…](?=["')\]*_]*\s)["')\]*_]*|[。！？]|\n)/g;

/** Cuts a text that grows into complete sentences. */
export class Sentences {
  #position = 0;

  /** The sentences that are complete now and were not before; "" if there is none. */
  next(text) {
    if (text.length < this.#position) this.#position = 0;
    END.lastIndex = this.#position;
    let end = this.#position;
    while (END.exec(text)) end = END.lastIndex;
    return this.#upTo(text, end);
  }

  /** What is left, once the text is complete. */
  rest(text) {
    return this.#upTo(text, text.length);
  }

  #upTo(text, end) {
    const sentences = spoken(text.slice(this.#position, Math.min(end, this.#position + MAX_SPOKEN)));
    this.#position = end;
    return sentences;
  }
}

/** Markdown without its marks. */
function spoken(text) {
  return text
    .replace(/^\s{0,3}(?:#{1,6}|>|[-*+]|```.*|~~~.*)(?:\s|$)/gm, " ")
    .replace(/\]\([^)\]\s]*\)/g, " ")
    .replace(/^[\s|:-]+$/gm, " ")
    .replace(/[*_`|[\]]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
