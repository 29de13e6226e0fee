// The page: a chat on top of tokenwire.js.

import { copyCodeIn } from "./copy.js";
import { $ } from "./dom.js";
import { openStore } from "./chat/store.js";
import { Page } from "./page.js";
import { questionOf, watch } from "./watch.js";

const fragment = new URLSearchParams(location.hash.slice(1));
const watched = fragment.get("watch");

copyCodeIn($("log"));
addEventListener("offline", () => ($("offline").hidden = false));
addEventListener("online", () => ($("offline").hidden = true));
$("offline").hidden = navigator.onLine !== false;

if (watched !== null) {
  addEventListener("hashchange", () => location.reload());
  watch(watched, questionOf(fragment));
} else {
  const page = new Page(await openStore());
  addEventListener("hashchange", () => {
    const now = new URLSearchParams(location.hash.slice(1));
    if (now.has("watch")) location.reload();
    else page.open(now.get("chat"));
  });
  addEventListener("pagehide", () => page.saveNow());
  await page.open(fragment.get("chat"));
}
