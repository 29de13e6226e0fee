// The page's texts about errors: a sentence, and what to do next.

export const LENGTH = "The answer reached the length limit.";
export const FILTERED = "The provider's content filter ended the answer.";
export const EMPTY = "The model sent an empty answer.";
export const ONLY_REASONING = "The model sent its reasoning, but no answer.";
export const RELOADED = "The page was closed before the server had taken the message.";
export const OFFLINE = "You are offline. What you have written is kept; send it when you are connected again.";
export const WRONG_KEY = "The server did not accept this key. Check it, and enter it again.";
export const NEEDS_KEY = "This server needs a key.";
export const UNREACHABLE = "The server cannot be reached. Check your connection, and try again.";
export const BAD_LINK = "This link is not valid. Check that it was copied completely, or ask for a new one.";
export const EXPIRED_LINK = "This link has expired. Ask the person who shared it for a new one.";

const BY_CODE = {
  stream_not_found: "The server no longer has this answer.",
  trimmed: "The server no longer has the beginning of this answer.",
  lost: "The server that wrote this answer is gone.",
  expired_ticket: EXPIRED_LINK,
  invalid_ticket: BAD_LINK,
  invalid_link: BAD_LINK,
};

/** The note of an error: `{kind, text, isPartial, status}`. */
export function ofError({ code, message, status }) {
  if (code === "cancelled") return { kind: "plain", text: "Stopped.", isPartial: true };
  if (code === "network") return { kind: "error", text: navigator.onLine === false ? OFFLINE : UNREACHABLE, isPartial: true };
  if (status === 401 && !code?.endsWith("_ticket")) return { kind: "error", text: NEEDS_KEY, status };
  return { kind: "error", text: BY_CODE[code] ?? sentence(message), isPartial: true, status };
}

function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (!trimmed) return "Something went wrong.";
  return /[.!?…。]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** What a watcher reads instead: only the owner can send the message again. */
export function forWatcher(note) {
  if (!note) return note;
  if (note.status === 401) return { kind: "error", text: note.text === EXPIRED_LINK ? EXPIRED_LINK : BAD_LINK };
  if (note.status === 404) return { kind: "error", text: "The server no longer has this answer. Ask the person who shared it to share it again." };
  return { ...note, isPartial: false };
}
