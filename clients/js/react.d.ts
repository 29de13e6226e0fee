import type { ChatMessage, ConversationOptions, Status } from "./conversation.js";
import type { StreamError } from "./tokenwire.js";

export type {
  ChatMessage,
  ConversationOptions,
  ConversationStorage,
  Status,
  ToolCall,
} from "./conversation.js";

export interface UseStream {
  /** Questions and answers, in order; the last one grows while it arrives. */
  readonly messages: readonly ChatMessage[];
  readonly status: Status;
  /** Why the last answer is incomplete; null otherwise. */
  readonly error: StreamError | null;
  /** Sends a question. Rejects with `busy` while an answer runs; other failures are in `error`. */
  readonly send: (text: string) => Promise<void>;
  /** Stops the answer, and its generation at the server. */
  readonly stop: () => Promise<void>;
  /** Goes on with an answer whose connection was lost. */
  readonly resume: () => Promise<void>;
}

/**
 * A conversation with a tokenwire server. Unmounting ends the reading, and not the answer; with an
 * `id` the conversation survives a reload, and an answer that was running is resumed.
 */
export function useStream(options?: ConversationOptions): UseStream;
