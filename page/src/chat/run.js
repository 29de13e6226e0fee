// One answer as it comes: from the events of tokenwire.js to a turn of a chat.

import { stream, StreamError } from "/tokenwire.js";
import * as words from "../words.js";

export const MAX_CALLS = 100;
const MAX_CITATIONS = 50;

/**
 * Reads a stream into a turn.
 *
 * `body` starts a stream; null joins the one of `turn.stream`, or of the share link `url`.
 * `hooks`: `changed()` after each event, `named()` once the stream has an id, `progress(state)`.
 */
export class Run {
  #controller = new AbortController();
  #answer;
  #hooks;

  constructor(turn, { body = null, url, key, ...hooks }) {
    this.turn = turn;
    this.#hooks = hooks;
    const joined = body || url ? {} : turn.stream;
    this.#answer = stream(body, { ...joined, ...(url ? { url } : {}), key, signal: this.#controller.signal, onProgress: hooks.progress });
  }

  get id() {
    return this.#answer.id;
  }

  /** Resolves when the turn is complete. It does not reject: an error is the turn's note. */
  async read() {
    const { turn } = this;
    turn.live = true;
    delete turn.note;
    let reason = null;
    let error = null;
    try {
      for await (const event of this.#answer) {
        if (event.type === "finish") reason = event.reason;
        else apply(turn, event);
        this.#position();
      }
    } catch (failure) {
      error = failure;
    }
    turn.live = false;
    turn.note = noteOf(turn, error, reason);
    return error;
  }

  #position() {
    const { id, lastEventId } = this.#answer;
    const isNew = this.turn.stream?.id !== id;
    this.turn.stream = { id, lastEventId };
    if (isNew) this.#hooks.named?.();
    this.#hooks.changed?.();
  }

  /** Cancels the generation. */
  async stop() {
    if (!this.#answer.id) return this.#controller.abort();
    try {
      await this.#answer.cancel();
    } catch {
      this.#controller.abort();
    }
  }
}

function noteOf(turn, error, reason) {
  if (error) return words.ofError(error instanceof StreamError ? error : { message: "Something went wrong." });
  if (reason === "length") return { kind: "plain", text: words.LENGTH, isPartial: true };
  if (reason === "content_filter") return { kind: "plain", text: words.FILTERED };
  if (!turn.text && !turn.calls?.length) return { kind: "error", text: turn.reasoning ? words.ONLY_REASONING : words.EMPTY };
  return undefined;
}

function apply(turn, event) {
  if (event.type === "content") turn.text += event.delta;
  else if (event.type === "reasoning") turn.reasoning = (turn.reasoning ?? "") + event.delta;
  else if (event.type === "usage") turn.usage = { input: event.input_tokens, output: event.output_tokens };
  else if (event.type === "start" && event.model) turn.model = event.model;
  else if (event.type === "citation") cite(turn, event);
  else if (event.type === "tool_call") call(turn, event);
}

function cite(turn, { url, title }) {
  const cited = (turn.citations ??= []);
  if (cited.length < MAX_CITATIONS && !cited.some((each) => each.url === url)) cited.push({ url, title });
}

function call(turn, event) {
  const found = callOf(turn, event.call);
  found.id = event.id ?? found.id;
  found.name = event.name ?? found.name;
  found.arguments += event.arguments ?? "";
}

/** The call with this number. Providers may use any number, so it is not an array index. */
function callOf(turn, number) {
  const calls = (turn.calls ??= []);
  const last = calls.at(-1);
  let found = last?.number === number ? last : calls.find((each) => each.number === number);
  if (!found && calls.length > MAX_CALLS) found = last; // more are not shown
  if (!found) calls.push((found = { number, arguments: "" }));
  return found;
}
