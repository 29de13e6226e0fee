import type { Body, Options, StreamError } from "./tokenwire.js";

export type Status = "ready" | "submitted" | "streaming" | "reconnecting" | "error";

export interface ToolCall {
  id: string;
  name: string;
  /** JSON, complete once the message has a `finishReason`. */
  arguments: string;
}

export interface ChatMessage {
  id: string;
  role: "user" | "assistant" | "system";
  content: string;
  reasoning?: string;
  toolCalls?: ToolCall[];
  /** Why the answer ended: the provider's reason, or `cancelled`. Absent while it arrives. */
  finishReason?: string;
}

/** The part of the Web Storage API that a conversation uses. */
export interface ConversationStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export interface ConversationOptions
  extends Pick<Options, "base" | "key" | "cloudfront" | "fetch" | "maxRetries"> {
  /**
   * Names the conversation. It is then kept in `storage`, and an answer that was running when the
   * page was reloaded is resumed. Without an id nothing is kept.
   */
  id?: string;
  model?: string;
  system?: string;
  /** Other fields of each request: `temperature`, `tools`, `on_disconnect`, … */
  body?: Omit<Body, "message" | "messages" | "model" | "system">;
  initialMessages?: ChatMessage[];
  /** Default: `sessionStorage`. */
  storage?: ConversationStorage;
}

export interface Snapshot {
  readonly messages: readonly ChatMessage[];
  readonly status: Status;
  readonly error: StreamError | null;
}

export class Conversation {
  constructor(options?: ConversationOptions);
  readonly id: string | undefined;
  options: ConversationOptions;
  readonly send: (text: string) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly resume: () => Promise<void>;
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => Snapshot;
  readonly getInitialSnapshot: () => Snapshot;
  attach(): void;
  detach(): void;
}
