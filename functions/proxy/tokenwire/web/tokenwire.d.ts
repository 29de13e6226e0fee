export type TokenEvent =
  | { type: "start"; id: string; model: string; created: number }
  | { type: "content"; delta: string; choice?: number; refusal?: boolean }
  | { type: "reasoning"; delta: string; choice?: number }
  | { type: "tool_call"; call: number; id?: string; name?: string; arguments?: string; choice?: number }
  | { type: "usage"; input_tokens: number; output_tokens: number; cached_tokens?: number; reasoning_tokens?: number }
  | { type: "finish"; reason: string; choice?: number };

export interface Message {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content: unknown;
  [field: string]: unknown;
}

export interface Body {
  message?: string;
  messages?: Message[];
  model?: string;
  system?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  stop?: string | string[];
  tools?: object[];
  tool_choice?: unknown;
  /** What happens to the stream after its last viewer leaves. */
  on_disconnect?: "cancel" | "continue" | `grace=${number}`;
}

export interface Progress {
  state: "waiting" | "streaming" | "reconnecting" | "done" | "failed" | "aborted";
  attempts: number;
  reconnects: number;
  /** Milliseconds. */
  timeToFirstToken: number | null;
  tokens: number;
  tokensPerSecond: number | null;
}

export interface Options {
  base?: string;
  /** A share link, as `shareLink` accepts it, with or without `base` before it. */
  url?: string;
  id?: string;
  lastEventId?: string;
  key?: string;
  /**
   * The server is behind CloudFront with origin access control: send the body's SHA-256, and the key
   * as `x-api-key`. By default what `throughCloudFront` returns, if `base` is not set.
   */
  cloudfront?: boolean;
  /** Names the POST, so that it can be sent again: it then joins the stream that it started. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  maxRetries?: number;
  fetch?: typeof fetch;
  onProgress?: (progress: Progress) => void;
}

/** Iterating throws `StreamError` if the stream cannot be completed. Can be iterated once. */
export interface TokenStream extends AsyncIterable<TokenEvent> {
  readonly id: string | null;
  readonly lastEventId: string;
  readonly progress: Progress;
  /** Whether the stream is over, complete or failed: nothing is left to resume. */
  readonly ended: boolean;
  cancel(): Promise<void>;
}

export class StreamError extends Error {
  constructor(
    message: string,
    details?: { code?: string; status?: number; retryable?: boolean; param?: string },
  );
  code: string;
  status: number;
  retryable: boolean;
  param?: string;
}

export interface ServerSentEvent {
  type: string;
  data: string;
  lastEventId: string;
}

export class EventParser {
  lastEventId: string;
  /** Milliseconds, or null until the server has sent a reconnection time. */
  retry: number | null;
  /** Throws a `StreamError` (`too_large`) for an event of more than 16 Mi characters. */
  feed(bytes: Uint8Array): ServerSentEvent[];
}

/** Returns the text if it is the path of one stream with a ticket; null for anything else. */
export function shareLink(text: unknown): string | null;

/** Returns whether this page has `<meta name="tokenwire-front" content="cloudfront">`. */
export function throughCloudFront(): boolean;

/** Returns the headers that authenticate a request without a body. */
export function requestHeaders(
  options?: { key?: string; cloudfront?: boolean },
  method?: "GET" | "POST",
): Record<string, string>;

/** Throws a `StreamError` (`invalid_link`) if `url` is not a share link or `id` not an id. */
export function stream(body: Body | null, options?: Options): TokenStream;
