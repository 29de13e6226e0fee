// A conversation: messages, the answer that runs, and what of it survives a reload. Without React.

import { stream, StreamError } from "./tokenwire.js";

const RENDER_EVERY = 16; // milliseconds: many tokens are one change of the snapshot
const SAVE_EVERY = 250; // milliseconds: the cost of saving grows with the conversation
const STOP_WITHIN = 5000; // milliseconds that a stop waits for the stream's id
const MAX_CALLS = 128;
const FORMAT = 1;

/**
 * Streams the answers of one conversation.
 *
 * A question is a POST with an idempotency key, so that it can be sent again at any time, also after
 * a reload that came before its first event: the answer is generated once.
 */
export class Conversation {
  #snapshot;
  #initial;
  #listeners = new Set();
  #running = null; // the answer: {key, body, id, lastEventId}; as it is stored
  #reading = null; // {answer, controller, finished}, while a connection is read
  #answer = null; // the message that the events go to; replaced in the snapshot when it is shown
  #timers = {};
  #attached = false;
  #loaded = false;

  /** @param {import("./conversation.js").ConversationOptions} [options] */
  constructor(options = {}) {
    this.id = options.id;
    this.options = options;
    this.#initial = { messages: options.initialMessages ?? [], status: "ready", error: null };
    this.#snapshot = this.#initial;
  }

  getSnapshot = () => this.#snapshot;

  /** What a server renders, and the first render of a page that hydrates it. */
  getInitialSnapshot = () => this.#initial;

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Loads what was kept, and goes on with an answer that runs. */
  attach() {
    this.#attached = true;
    if (!this.#loaded) this.#load();
    if (this.#running) this.#set({ status: "submitted", error: null });
    // StrictMode attaches, detaches and attaches again at once: that is one request.
    queueMicrotask(() => this.#attached && this.resume());
  }

  /** Stops reading. The answer goes on at the server, as long as `on_disconnect` allows. */
  detach() {
    this.#attached = false;
    this.#reading?.controller.abort();
    this.#reading = null;
    this.#show();
    this.#save();
  }

  /**
   * Sends a question. The promise ends with the answer, whatever the end; see `status` and `error`.
   * @throws {StreamError} `busy`: an answer is running.
   */
  send = async (text) => {
    if (this.#reading) throw new StreamError("An answer is running.", { code: "busy" });
    const question = { id: uuid(), role: "user", content: String(text) };
    const messages = [...this.#snapshot.messages, question];
    this.#running = { key: uuid(), body: this.#body(messages), id: null, lastEventId: "" };
    this.#answer = { id: uuid(), role: "assistant", content: "" };
    this.#set({ messages: [...messages, this.#answer] });
    await this.#start();
  };

  /**
   * Stops the answer, and its generation at the server. The status is `ready` at once; the promise
   * ends when the server has the cancel request.
   */
  stop = async () => {
    const reading = this.#reading;
    const running = this.#running;
    if (!running) return;
    this.#end("cancelled");
    if (reading) {
      // A POST that is cut before its stream has an id would leave the stream to its grace period.
      const timer = setTimeout(reading.identify, STOP_WITHIN);
      await reading.identified;
      clearTimeout(timer);
      await reading.answer.cancel().catch(() => {});
      reading.controller.abort();
    } else if (running.id) {
      await stream(null, { ...this.#connection(), id: running.id }).cancel().catch(() => {});
    }
  };

  /** Goes on with an answer whose connection was lost. Does nothing if there is none. */
  resume = async () => {
    if (this.#running && !this.#reading) await this.#start();
  };

  async #start() {
    const reading = { controller: new AbortController(), answer: null };
    reading.identified = new Promise((resolve) => (reading.identify = resolve));
    this.#reading = reading;
    this.#set({ status: "submitted", error: null });
    this.#save();
    try {
      reading.answer = this.#stream(reading);
      await this.#read(reading);
      if (this.#reading === reading) this.#end();
    } catch (error) {
      if (this.#reading === reading) this.#fail(error, reading.answer?.ended ?? true);
    } finally {
      reading.identify();
    }
  }

  #stream(reading) {
    const { key, body, id, lastEventId } = this.#running;
    return stream(body, {
      ...this.#connection(),
      ...given({ id: id ?? undefined }),
      lastEventId,
      idempotencyKey: key,
      signal: reading.controller.signal,
      onProgress: ({ state }) => {
        if (state === "reconnecting" && this.#reading === reading) this.#set({ status: state });
      },
    });
  }

  #connection() {
    const { base, cloudfront, fetch, key, maxRetries } = this.options;
    return given({ base, cloudfront, fetch, key, maxRetries });
  }

  async #read(reading) {
    for await (const event of reading.answer) {
      reading.identify();
      if (this.#reading !== reading) return;
      const { id, lastEventId } = reading.answer;
      Object.assign(this.#running, { id, lastEventId, body: null });
      this.#take(event);
    }
  }

  #take(event) {
    if (event.choice) return; // there is room for one answer
    const answer = this.#answer;
    if (event.type === "content") answer.content += event.delta;
    else if (event.type === "reasoning") answer.reasoning = (answer.reasoning ?? "") + event.delta;
    else if (event.type === "tool_call") answer.toolCalls = withCall(answer.toolCalls ?? [], event);
    else if (event.type === "finish") answer.finishReason = event.reason;
    if (this.#snapshot.status !== "streaming") this.#set({ status: "streaming" });
    else this.#timers.show ??= setTimeout(() => this.#show(), RENDER_EVERY);
    this.#timers.save ??= setTimeout(() => this.#save(), SAVE_EVERY);
  }

  #end(reason) {
    if (reason) this.#answer.finishReason = reason;
    this.#running = this.#reading = null;
    this.#set({ status: "ready", error: null });
    this.#save();
  }

  #fail(error, ended) {
    if (error.code === "cancelled") return this.#end("cancelled");
    this.#reading = null;
    // Where only the connection has failed, the stream goes on and can be resumed.
    if (ended || !error.retryable) this.#running = null;
    this.#set({ status: "error", error });
    this.#save();
  }

  #body(messages) {
    const { model, system, body } = this.options;
    const turns = messages.filter(({ content }) => content !== "").map(({ role, content }) => ({ role, content }));
    return { ...body, ...given({ model, system }), messages: turns };
  }

  #show() {
    this.#set({});
  }

  #set(change) {
    clearTimeout(this.#timers.show);
    this.#timers.show = undefined;
    let messages = change.messages ?? this.#snapshot.messages;
    // A copy, so that a component that compares messages sees which of them has changed.
    if (this.#answer) messages = [...messages.slice(0, -1), { ...this.#answer }];
    this.#snapshot = { ...this.#snapshot, ...change, messages };
    for (const listener of this.#listeners) listener();
  }

  get #storage() {
    return this.id === undefined ? undefined : (this.options.storage ?? globalThis.sessionStorage);
  }

  #save() {
    clearTimeout(this.#timers.save);
    this.#timers.save = undefined;
    const messages = this.#answer
      ? [...this.#snapshot.messages.slice(0, -1), this.#answer]
      : this.#snapshot.messages;
    try {
      this.#storage?.setItem(this.#name, JSON.stringify({ format: FORMAT, messages, running: this.#running }));
    } catch {
      // The storage is full or forbidden: the answer continues, but a reload does not restore it.
    }
  }

  #load() {
    this.#loaded = true;
    const kept = parsed(() => this.#storage?.getItem(this.#name));
    if (kept?.format !== FORMAT || !Array.isArray(kept.messages)) return;
    this.#running = kept.running;
    this.#answer = kept.running ? { ...kept.messages.at(-1) } : null;
    this.#set({ messages: kept.messages });
  }

  get #name() {
    return `tokenwire:${this.id}`;
  }
}

function withCall(calls, { call, id, name, arguments: more }) {
  if (!Number.isInteger(call) || call < 0 || call >= MAX_CALLS) return calls;
  const found = calls[call] ?? { id: "", name: "", arguments: "" };
  const changed = [...calls];
  while (changed.length < call) changed.push({ id: "", name: "", arguments: "" });
  changed[call] = { id: id ?? found.id, name: name ?? found.name, arguments: found.arguments + (more ?? "") };
  return changed;
}

/** Without the fields that are undefined, which would hide the defaults of `stream`. */
function given(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function parsed(read) {
  try {
    return JSON.parse(read() ?? "null");
  } catch {
    return null; // no storage here, or not ours
  }
}

/** `crypto.randomUUID` exists only in secure contexts: a page on a LAN's http address is none. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
