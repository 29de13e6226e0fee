// Share links: `#watch=` the server's URL of one stream, and `&question=` what was asked.
//
// The fragment is not sent to any server. The question is shown as text, and as the sharer's words.

import { byHand, copy } from "./copy.js";
import { $, notice } from "./dom.js";
import { headers } from "./session.js";
import * as words from "./words.js";

/** Characters of the question in a link. */
export const MAX_QUESTION = 2000;

/** Makes a link to a stream and copies it. */
export async function share(id, question) {
  const made = await ticketOf(id);
  if (made.error) return notice(made.error);
  const asked = question ? `&question=${encodeURIComponent(cut(question))}` : "";
  const link = `${location.origin}/#watch=${encodeURIComponent(made.url)}${asked}`;
  $("share").dataset.link = link;
  if (!(await copy(link))) return byHand(link);
  $("share").textContent = "Link copied";
  setTimeout(() => ($("share").textContent = "Share"), 1500);
}

/** At most MAX_QUESTION characters, and no half of one. */
function cut(text) {
  return text.length > MAX_QUESTION ? `${text.slice(0, MAX_QUESTION).toWellFormed()}…` : text.toWellFormed();
}

async function ticketOf(id) {
  try {
    const response = await fetch(`/v1/streams/${encodeURIComponent(id)}/ticket`, { method: "POST", headers: headers("POST") });
    if (response.ok) return await response.json();
    const body = await response.json().catch(() => ({}));
    if (response.status === 404) return { error: "The server no longer has this answer, so it cannot be shared. Regenerate it to share it." };
    return { error: body.message ?? body.error?.message ?? "The answer cannot be shared." };
  } catch {
    return { error: words.UNREACHABLE };
  }
}
