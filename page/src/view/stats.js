// The line below the composer: how fast the answer comes, and what it waits for.

import { $ } from "../dom.js";

export function showProgress({ state, timeToFirstToken, tokensPerSecond, reconnects }) {
  const parts = [];
  if (timeToFirstToken !== null) parts.push(`first token ${(timeToFirstToken / 1000).toFixed(2)} s`);
  if (tokensPerSecond !== null) parts.push(`${tokensPerSecond.toFixed(0)} tokens/s`);
  if (reconnects) parts.push(`${reconnects} reconnect${reconnects > 1 ? "s" : ""}`);
  if (state === "waiting") parts.push("waiting…");
  if (state === "reconnecting") parts.push("reconnecting…");
  const text = parts.join(" · ");
  if ($("stats").textContent !== text) $("stats").textContent = text;
  $("stats").dataset.state = state;
}
