// The request that a chat makes.

import { partOf } from "./files.js";
import { path } from "./tree.js";

/** The answer goes on for a minute without viewers: while the page is reloaded. */
const ON_DISCONNECT = "grace=60";
const CONTINUE = "Continue your last answer exactly where it stopped. Do not repeat any of it, and do not comment on this.";
const PARAMETERS = ["temperature", "top_p", "max_tokens", "reasoning_effort", "tools"];

/** The body for the answer after the turn `last`; with `goOn`, for the rest of that answer. */
export async function bodyFor(chat, last, { goOn = false } = {}) {
  const turns = path(chat, last);
  const messages = [];
  for (const [n, turn] of turns.entries()) messages.push(...(await messagesOf(turn, turns[n + 1])));
  if (goOn) messages.push({ role: "user", content: CONTINUE });
  const body = { messages, on_disconnect: ON_DISCONNECT };
  if (chat.model) body.model = chat.model;
  if (chat.settings.system) body.system = chat.settings.system;
  for (const name of PARAMETERS) if (chat.settings[name] !== undefined) body[name] = chat.settings[name];
  return body;
}

async function messagesOf(turn, next) {
  if (turn.role === "tool") return turn.results.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text }));
  if (turn.role === "user") return [{ role: "user", content: await contentOf(turn) }];
  // A provider refuses calls that have no result.
  if (next?.role === "tool") return [{ role: "assistant", content: turn.text || null, tool_calls: turn.calls.map(callOf) }];
  return turn.text ? [{ role: "assistant", content: turn.text }] : [];
}

async function contentOf({ text, files }) {
  if (!files?.length) return text;
  const parts = await Promise.all(files.map(partOf));
  return text ? [{ type: "text", text }, ...parts] : parts;
}

export const callId = (call, n) => call.id ?? `call_${n}`;

function callOf(call, n) {
  return { id: callId(call, n), type: "function", function: { name: call.name ?? "tool", arguments: call.arguments || "{}" } };
}
