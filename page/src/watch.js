// The view of someone who opened a share link: the question and the answer, and nothing to send.

import { shareLink } from "/tokenwire.js";
import { Run } from "./chat/run.js";
import { $ } from "./dom.js";
import { key } from "./session.js";
import { MAX_QUESTION } from "./share.js";
import { Log } from "./view/log.js";
import { showProgress } from "./view/stats.js";
import * as words from "./words.js";

/** The question in a link, bounded: it is whatever the maker of the link wrote. */
export function questionOf(fragment) {
  return (fragment.get("question") ?? "").slice(0, MAX_QUESTION + 1);
}

/** Shows the stream of a share link. Anything else as a link is an error, and starts no request. */
export async function watch(link, question) {
  document.body.classList.add("watching");
  $("shared").hidden = false;
  const log = new Log(null);
  if (question) log.add({ role: "user", text: question });
  const turn = { role: "assistant", text: "", live: true };
  const url = shareLink(link);
  if (url === null) {
    Object.assign(turn, { live: false, note: { kind: "error", text: words.BAD_LINK } });
    return log.add(turn);
  }
  log.add(turn);
  const run = new Run(turn, { url, key: key(), changed: () => log.changed(turn), progress: showProgress });
  await run.read();
  turn.note = words.forWatcher(turn.note);
  log.ended(turn);
}
