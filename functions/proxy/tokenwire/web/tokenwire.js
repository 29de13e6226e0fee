// tokenwire.js: streams typed events from a tokenwire server, and resumes after a lost connection.
//
//   import { stream } from "/tokenwire.js";
//   const answer = stream({ message: "Hello" });
//   for await (const event of answer) if (event.type === "content") show(event.delta);
//
// No dependencies. Works in browsers and in Node 18 or later. Also the npm package tokenwire, with
// a React hook. Types: tokenwire.d.ts.
// @ts-self-types="./tokenwire.d.ts"

/** A stream that failed. `code` and `retryable` come from the server. */
export class StreamError extends Error {
  constructor(message, { code = "network", status = 0, retryable = false, param } = {}) {
    super(message);
    this.name = "StreamError";
    Object.assign(this, { code, status, retryable, param });
  }
}

const SHARE_LINK = /^\/v1\/streams\/st_[\w-]+\?ticket=[\w.-]+$/;
const STREAM_ID = /^st_[\w-]+$/;
const MAX_LINK = 1024;
/** Maximum length of one event, in characters. tokenwire sends none that is longer. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * Returns the text if it is a share link: the path of one stream and a ticket, as the server sends
 * it. Null for anything else. A link is untrusted and must not name another route: its request is
 * sent to the page's own origin, and could be one that costs money.
 */
export function shareLink(text) {
  return typeof text === "string" && text.length <= MAX_LINK && SHARE_LINK.test(text) ? text : null;
}

/**
 * An incremental parser of text/event-stream, by the rules of WHATWG HTML §9.2.
 * Feed it chunks of bytes, split anywhere; it returns the events that they complete.
 */
export class EventParser {
  #decoder = new TextDecoder("utf-8"); // removes one leading BOM, and handles split characters
  #pieces = []; // pieces of the unfinished line, joined once
  #afterCR = false;
  #held = 0; // characters of the unfinished event
  #data = [];
  #type = "";
  #id = "";
  lastEventId = "";
  retry = null;

  /**
   * @param {Uint8Array} bytes
   * @throws {StreamError} `too_large`: an event has more than 16 Mi characters.
   */
  feed(bytes) {
    const events = [];
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#afterCR && text) {
      this.#afterCR = false;
      if (text.startsWith("\n")) text = text.slice(1);
    }
    if (text.endsWith("\r")) this.#afterCR = true;
    const [first, ...others] = text.split(/\r\n|\r|\n/);
    this.#keep(first);
    for (const other of others) {
      const line = this.#pieces.join("");
      this.#pieces = [];
      const event = line === "" ? this.#dispatch() : this.#field(line);
      if (event) events.push(event);
      this.#keep(other);
    }
    return events;
  }

  #keep(piece) {
    if (piece) this.#pieces.push(piece);
    this.#held += piece.length;
    if (this.#held > MAX_EVENT) throw new StreamError("An event is too large.", { code: "too_large" });
  }

  #field(line) {
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.retry = Number(value);
  }

  #dispatch() {
    this.lastEventId = this.#id;
    const data = this.#data;
    const type = this.#type || "message";
    this.#data = [];
    this.#type = "";
    this.#held = 0;
    return data.length ? { type, data: data.join("\n"), lastEventId: this.lastEventId } : null;
  }
}

/** SHA-256 of no bytes, as hexadecimal digits. */
const HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Returns whether this page was loaded through CloudFront, as its server declares in
 * `<meta name="tokenwire-front" content="cloudfront">`.
 */
export function throughCloudFront() {
  return globalThis.document?.querySelector('meta[name="tokenwire-front"]')?.content === "cloudfront";
}

/**
 * Returns the headers that authenticate a request without a body.
 *
 * CloudFront's origin access control signs each request for Lambda. The signature replaces
 * `Authorization`, so the key is sent as `x-api-key`; and it must cover the body of a POST, whose
 * hash CloudFront takes from the request.
 *
 * @param {object} options
 * @param {string} [options.key] An API key.
 * @param {boolean} [options.cloudfront] See `stream`; `throughCloudFront()` by default.
 * @param {"GET"|"POST"} [method]
 */
export function requestHeaders({ key, cloudfront = throughCloudFront() } = {}, method = "GET") {
  if (!cloudfront) return key ? { Authorization: `Bearer ${key}` } : {};
  const headers = key ? { "x-api-key": key } : {};
  if (method === "POST") headers["x-amz-content-sha256"] = HASH_OF_NOTHING;
  return headers;
}

async function sha256(text) {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) throw new StreamError("CloudFront requires a page that is served by HTTPS.", { code: "insecure_context" });
  const hash = await subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const FINAL = new Set([204, 400, 401, 403, 404, 410]);

/**
 * Starts a stream, or joins one.
 *
 * @param {object|null} body The body to POST: `{message}` or `{messages}`, and `model`. Null joins
 *   the stream named by `options.url` (or `options.id`).
 * @param {object} [options]
 * @param {string} [options.base] The server; this page's own by default.
 * @param {string} [options.url] A share link (see `shareLink`), with or without `base` before it.
 * @param {string} [options.id] A stream's id.
 * @param {string} [options.lastEventId] Start after this event.
 * @param {string} [options.key] An API key.
 * @param {boolean} [options.cloudfront] The server is behind CloudFront with origin access control.
 *   By default what this page declares (`throughCloudFront`) and `base` is not set.
 * @param {string} [options.idempotencyKey] Names this POST, so that it can be sent again: it then
 *   joins the stream that it started. Without one, only a stream whose id is known is resumed.
 * @param {AbortSignal} [options.signal] Disconnects. The server then applies `on_disconnect`.
 * @param {number} [options.maxRetries] Maximum number of consecutive attempts to reconnect; default 6.
 * @param {(progress: object) => void} [options.onProgress]
 * @throws {StreamError} `invalid_link`: `url` is not a share link, or `id` not a stream's id.
 */
export function stream(body, options = {}) {
  return new TokenStream(body, options);
}

class TokenStream {
  #body;
  #options;
  #parser = new EventParser();
  #done = false;
  #wait = 1000;
  // An id for this viewer, for a server that cannot detect a disconnect.
  #viewer = `v_${Math.random().toString(36).slice(2)}${Date.now().toString(36)}`;

  constructor(body, options) {
    this.#body = body;
    this.#options = { base: "", maxRetries: 6, fetch: globalThis.fetch.bind(globalThis), ...options };
    this.#options.cloudfront ??= !this.#options.base && throughCloudFront();
    this.#options.url = checkedLink(this.#options);
    this.id = checkedId(options.id ?? null);
    this.lastEventId = options.lastEventId ?? "";
    this.progress = {
      state: "waiting", attempts: 0, reconnects: 0, timeToFirstToken: null, tokens: 0, tokensPerSecond: null,
    };
  }

  /** Whether the stream is over, complete or failed: nothing is left to resume. */
  get ended() {
    return this.#done;
  }

  /** Cancels the generation, in whichever process it runs. */
  async cancel() {
    if (!this.id) return;
    const url = `${this.#options.base}/v1/streams/${encodeURIComponent(this.id)}/cancel`;
    await this.#options.fetch(url, { method: "POST", headers: requestHeaders(this.#options, "POST") });
  }

  async *[Symbol.asyncIterator]() {
    const started = performance.now();
    let failures = 0;
    while (!this.#done) {
      let broken;
      try {
        for await (const event of this.#attempt()) {
          failures = 0;
          this.#note(event, started);
          yield event;
        }
        if (this.#done) break;
        broken = new StreamError("The connection closed before the answer was complete.", { retryable: true });
      } catch (error) {
        broken = error;
      }
      if (this.#options.signal?.aborted) return this.#report({ state: "aborted" });
      // An error that ended the stream is final.
      const final = this.#done || (broken instanceof StreamError && !broken.retryable);
      // Without an id or a key the stream cannot be resumed, and a new POST would cost money again.
      if (final || !this.#isResumable() || ++failures > this.#options.maxRetries) {
        this.#report({ state: "failed" });
        throw broken instanceof StreamError ? broken : new StreamError("The server cannot be reached.", { retryable: true });
      }
      this.#report({ state: "reconnecting", reconnects: this.progress.reconnects + 1 });
      await this.#pause(failures);
    }
    this.#report({ state: "done" });
  }

  #isResumable() {
    return Boolean(this.id || this.#options.url || (this.#body && this.#options.idempotencyKey));
  }

  async *#attempt() {
    this.#report({ attempts: this.progress.attempts + 1 });
    const response = await this.#request();
    this.id ??= response.headers.get("x-stream-id");
    if (response.status === 204) {
      this.#done = true;
      return;
    }
    if (!response.ok) throw await refused(response);
    this.#parser = new EventParser();
    const reader = response.body.getReader();
    const attendance = this.#attend(Number(response.headers.get("x-tokenwire-lease")));
    let broken = false;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        broken = done;
        if (done) return;
        for (const event of this.#parser.feed(value)) yield* this.#take(event);
        if (this.#done) return;
      }
    } catch (error) {
      broken = !this.#options.signal?.aborted;
      throw error;
    } finally {
      // A viewer that is about to resume does not leave.
      if (broken || this.#done) attendance.pause();
      else attendance.leave();
      reader.cancel().catch(() => {});
    }
  }

  /** Renews the viewer's lease if the server cannot detect a disconnect (AWS Lambda). */
  #attend(lease) {
    if (!lease) return { pause() {}, leave() {} };
    const say = (what, keepalive) => {
      const ticket = new URL(this.#options.url ?? "", "http://x/").search;
      const path = `/v1/streams/${encodeURIComponent(this.id)}/viewers/${this.#viewer}${what}${ticket}`;
      const options = { method: "POST", headers: requestHeaders(this.#options, "POST"), keepalive };
      this.#options.fetch(`${this.#options.base}${path}`, options).catch(() => {});
    };
    const timer = setInterval(() => say("", false), (lease * 1000) / 3);
    const pause = () => {
      clearInterval(timer);
      globalThis.removeEventListener?.("pagehide", leave);
    };
    const leave = () => {
      pause();
      say("/leave", true); // keepalive: sent even if the page is closed
    };
    globalThis.addEventListener?.("pagehide", leave);
    return { pause, leave };
  }

  *#take(event) {
    // An error with an id ends the stream; an error without an id ends only this response.
    const isRecord = event.lastEventId !== "" && event.lastEventId !== this.lastEventId;
    if (event.lastEventId) this.lastEventId = event.lastEventId;
    if (this.#parser.retry !== null) this.#wait = this.#parser.retry;
    if (event.data === "[DONE]") {
      this.#done = true;
      return;
    }
    const body = JSON.parse(event.data);
    if (body.type === "error") {
      this.#done = isRecord;
      throw new StreamError(body.message, body);
    }
    yield body;
  }

  async #request() {
    const { base, cloudfront, fetch, idempotencyKey, signal, url } = this.#options;
    const headers = { Accept: "text/event-stream", "X-Tokenwire-Viewer": this.#viewer, ...requestHeaders(this.#options) };
    if (this.#body && !this.id) {
      const body = JSON.stringify(this.#body);
      headers["Content-Type"] = "application/json";
      if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
      if (cloudfront) headers["x-amz-content-sha256"] = await sha256(body);
      return fetch(`${base}/api/stream`, { method: "POST", headers, signal, body });
    }
    if (this.lastEventId) headers["Last-Event-ID"] = this.lastEventId;
    const target = url ?? `/v1/streams/${encodeURIComponent(this.id)}`;
    return fetch(`${base}${target}`, { headers, signal, cache: "no-store" });
  }

  /** Waits with exponential back-off and jitter, starting from the server's `retry`. */
  #pause(failures) {
    const ms = Math.min(this.#wait * 2 ** (failures - 1), 30000) * (0.75 + Math.random() / 2);
    const { signal } = this.#options;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  #note(event, started) {
    if (event.type !== "content" && event.type !== "reasoning") return this.#report({});
    const now = performance.now();
    const first = this.progress.timeToFirstToken ?? now - started;
    const tokens = this.progress.tokens + 1;
    const seconds = (now - started - first) / 1000;
    this.#report({
      state: "streaming",
      timeToFirstToken: first,
      tokens,
      tokensPerSecond: seconds > 0.2 ? (tokens - 1) / seconds : null,
    });
  }

  #report(change) {
    this.progress = { ...this.progress, ...change };
    this.#options.onProgress?.(this.progress);
  }
}

function checkedLink({ url, base }) {
  if (url === undefined || url === null) return undefined;
  const text = String(url);
  const link = shareLink(base && text.startsWith(base) ? text.slice(base.length) : text);
  if (link === null) throw new StreamError("This is not a link to a stream.", { code: "invalid_link" });
  return link;
}

function checkedId(id) {
  if (id === null || (id.length <= MAX_LINK && STREAM_ID.test(id))) return id;
  throw new StreamError("This is not a stream's id.", { code: "invalid_link" });
}

async function refused(response) {
  const body = await response.json().catch(() => ({}));
  const error = body.type === "error" ? body : (body.error ?? {});
  return new StreamError(error.message ?? `The server answered with status ${response.status}.`, {
    code: error.code ?? "http",
    param: error.param,
    status: response.status,
    retryable: !FINAL.has(response.status) && (error.retryable ?? response.status >= 500),
  });
}
