// The page: a chat on top of tokenwire.js. State lives in this tab's sessionStorage.

import { requestHeaders, shareLink, stream, StreamError } from "/tokenwire.js";
import { render } from "/markdown.js";

const $ = (id) => document.getElementById(id);
const store = {
  get: (name, fallback) => JSON.parse(sessionStorage.getItem(name) ?? "null") ?? fallback,
  set: (name, value) => {
    try {
      sessionStorage.setItem(name, JSON.stringify(value));
    } catch {
      // The tab's storage is full: the answer continues, but a reload will not restore all of it.
    }
  },
};
const SAVE_EVERY = 250; // milliseconds: the cost of saving grows with the conversation
const MAX_CALLS = 100;
const WORDS = {
  cancelled: "Stopped.",
  network: "The connection was lost and could not be resumed. Send the message again.",
  stream_not_found: "The server no longer has this stream. Send the message again.",
  trimmed: "The server no longer has the beginning of this stream. Send the message again.",
  expired_ticket: "This link has expired. Request a new link from the person who shared it.",
  invalid_ticket: "This link is not valid. Check that it was copied completely.",
};
const CHIPS = [
  ["What can you do?", "/help"],
  ["Show me the code", "Show me a Python example"],
  ["Streaming on Lambda", "How does streaming from AWS Lambda work?"],
  ["Think first", "Why do tokens stream? /reason"],
  ["Call a tool", "What is the weather? /tool"],
  ["Fail in the middle", "Tell me about streaming /fail"],
];

const watched = new URLSearchParams(location.hash.slice(1)).get("watch");
let turns = store.get("turns", []); // {role, text, reasoning, calls, note, model}
let running = null; // {answer, controller, turn, view}

// --- display ------------------------------------------------------------------------------

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function addTurn(turn) {
  $("empty").hidden = true;
  const item = element("li", `turn ${turn.role}`);
  const body = element("div", "body");
  item.append(element("span", "hidden", turn.role === "user" ? "You:" : "Answer:"), body);
  $("log").append(item);
  const view = { item, body };
  paint(turn, view);
  return view;
}

function paint(turn, view) {
  const stay = atBottom();
  if (turn.role === "user") view.body.textContent = turn.text;
  else view.body.replaceChildren(...parts(turn, view));
  if (stay) $("scroll").scrollTop = $("scroll").scrollHeight;
}

function parts(turn, view) {
  const found = [];
  if (turn.reasoning) {
    const open = view.body.querySelector("details")?.open ?? false;
    const details = element("details", "reasoning");
    details.open = open;
    details.append(element("summary", "", turn.text ? "Reasoning" : "Thinking…"), element("p", "", turn.reasoning));
    found.push(details);
  }
  if (turn.text) found.push(render(turn.text));
  for (const call of (turn.calls ?? []).slice(0, MAX_CALLS)) {
    const box = element("div", "call");
    box.append(element("strong", "", call.name ?? "tool"), element("code", "", call.arguments));
    found.push(box);
  }
  if (turn.live) found.push(element("span", "cursor"));
  if (turn.note) found.push(note(turn));
  return found;
}

function note(turn) {
  const box = element("p", `note ${turn.note.kind}`, turn.note.text);
  if (turn.note.kind === "error") {
    const again = element("button", "", "Try again");
    again.type = "button";
    again.addEventListener("click", watched === null ? retry : () => location.reload());
    box.append(" ", again);
  }
  return box;
}

function atBottom() {
  const box = $("scroll");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 60;
}

function showStats({ state, timeToFirstToken, tokensPerSecond, reconnects }) {
  const parts = [];
  if (timeToFirstToken !== null) parts.push(`first token ${(timeToFirstToken / 1000).toFixed(2)} s`);
  if (tokensPerSecond !== null) parts.push(`${tokensPerSecond.toFixed(0)} tokens/s`);
  if (reconnects) parts.push(`${reconnects} reconnect${reconnects > 1 ? "s" : ""}`);
  if (state === "waiting") parts.push("waiting…");
  if (state === "reconnecting") parts.push("reconnecting…");
  $("stats").textContent = parts.join(" · ");
  $("stats").dataset.state = state;
}

function setRunning(on) {
  $("stop").hidden = !on;
  $("send").hidden = on;
  $("share").hidden = !on || !running?.answer.id;
}

// --- actions ------------------------------------------------------------------------------

async function follow(answer, controller, turn) {
  turn.live = true;
  const view = turn.view ?? addTurn(turn);
  running = { answer, controller, turn };
  setRunning(true);
  let painting = 0;
  let known = null;
  const repaint = () => (painting ||= requestAnimationFrame(() => ((painting = 0), paint(turn, view))));
  try {
    for await (const event of answer) {
      apply(turn, event);
      if (answer.id === known) saveSoon(answer);
      else save(answer);
      known = answer.id;
      setRunning(true);
      repaint();
    }
    $("announce").textContent = "The answer is complete.";
  } catch (error) {
    turn.note = inWords(error);
    $("announce").textContent = turn.note.text;
    if (error.status === 401 && turn.role === "assistant" && !turn.text) askForKey();
  }
  if (painting) cancelAnimationFrame(painting);
  turn.live = false;
  running = null;
  stopSaving();
  if (watched === null) store.set("live", null);
  saveTurns();
  paint(turn, view);
  setRunning(false);
  $("prompt").focus();
}

function apply(turn, event) {
  if (event.type === "content") turn.text += event.delta;
  else if (event.type === "reasoning") turn.reasoning = (turn.reasoning ?? "") + event.delta;
  else if (event.type === "finish" && event.reason === "length") turn.note = { kind: "plain", text: "The answer reached the length limit." };
  else if (event.type === "tool_call") {
    const call = callOf(turn, event.call);
    call.name = event.name ?? call.name;
    call.arguments += event.arguments ?? "";
  }
}

/** The call with this number. Providers may use any number, so it is not an array index. */
function callOf(turn, number) {
  const calls = (turn.calls ??= []);
  const last = calls.at(-1);
  let call = last?.number === number ? last : calls.find((each) => each.number === number);
  if (!call && calls.length > MAX_CALLS) call = last; // more are not shown
  if (!call) calls.push((call = { number, arguments: "" }));
  return call;
}

function inWords(error) {
  if (error instanceof StreamError && error.code === "cancelled") return { kind: "plain", text: WORDS.cancelled };
  return { kind: "error", text: WORDS[error.code] ?? error.message ?? "Something went wrong." };
}

function options(more = {}) {
  const controller = new AbortController();
  const key = sessionStorage.getItem("key") ?? undefined;
  return [controller, { key, signal: controller.signal, onProgress: showStats, ...more }];
}

let saving = null; // {timer, answer}

function saveSoon(answer) {
  saving ??= { answer, timer: setTimeout(save, SAVE_EVERY, answer) };
}

/** Saves the conversation together with the position in the running stream, for consistency. */
function save(answer) {
  stopSaving();
  if (watched === null) store.set("live", { id: answer.id, lastEventId: answer.lastEventId });
  saveTurns();
}

function stopSaving() {
  clearTimeout(saving?.timer);
  saving = null;
}

function saveTurns() {
  if (watched !== null) return; // a watched stream does not belong to this tab's conversation
  store.set("turns", turns.map(({ view, live, ...kept }) => kept));
}

function ask(text) {
  if (running || !text.trim()) return;
  const mine = { role: "user", text: text.trim() };
  turns.push(mine);
  addTurn(mine);
  $("scroll").scrollTop = $("scroll").scrollHeight;
  answerLast();
}

function answerLast() {
  const messages = turns
    .filter((turn) => turn.text)
    .map(({ role, text }) => ({ role, content: text }));
  const turn = { role: "assistant", text: "" };
  turns.push(turn);
  saveTurns();
  const [controller, how] = options();
  const body = { messages, model: $("model").value || undefined, on_disconnect: "grace=60" };
  return follow(stream(body, how), controller, turn);
}

function retry() {
  if (running) return;
  const failed = turns.pop();
  if (failed.role !== "assistant") turns.push(failed);
  else $("log").lastElementChild.remove();
  answerLast();
}

async function stop() {
  const now = running;
  if (!now) return;
  if (now.answer.id) await now.answer.cancel().catch(() => now.controller.abort());
  else now.controller.abort();
}

async function share() {
  const id = running?.answer.id;
  if (!id) return;
  const key = sessionStorage.getItem("key") ?? undefined;
  const headers = requestHeaders({ key }, "POST");
  const response = await fetch(`/v1/streams/${id}/ticket`, { method: "POST", headers });
  if (!response.ok) return;
  const { url } = await response.json();
  const link = `${location.origin}/#watch=${encodeURIComponent(url)}`;
  $("share").dataset.link = link;
  await navigator.clipboard?.writeText(link).catch(() => {});
  $("share").textContent = "Link copied";
  setTimeout(() => ($("share").textContent = "Share"), 1500);
}

function watch(text) {
  document.body.classList.add("watching");
  $("shared").hidden = false;
  turns = [];
  const turn = { role: "assistant", text: "" };
  const url = shareLink(text);
  if (url === null) {
    turn.note = { kind: "plain", text: WORDS.invalid_ticket };
    return addTurn(turn);
  }
  const [controller, how] = options({ url });
  return follow(stream(null, how), controller, turn);
}

function resume() {
  const live = store.get("live", null);
  const last = turns.at(-1);
  for (const turn of turns.slice(0, live && last ? -1 : undefined)) addTurn(turn);
  if (!live || !last) return;
  const [controller, how] = options({ id: live.id, lastEventId: live.lastEventId });
  follow(stream(null, how), controller, last);
}

function askForKey() {
  $("door").showModal();
}

async function loadModels() {
  const key = sessionStorage.getItem("key") ?? undefined;
  const response = await fetch("/v1/models", { headers: requestHeaders({ key }) });
  if (response.status === 401) return askForKey();
  if (!response.ok) return;
  const list = await response.json();
  const remembered = localStorage.getItem("model");
  const names = list.data.map((model) => model.id);
  const chosen = names.includes(remembered) ? remembered : list.default;
  $("model").replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  $("model").disabled = false;
}

// --- wiring -------------------------------------------------------------------------------

function grow() {
  const box = $("prompt");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 200)}px`;
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("prompt").value;
  if (running || !text.trim()) return;
  $("prompt").value = "";
  grow();
  ask(text);
});
$("prompt").addEventListener("input", grow);
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("ask").requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running) stop();
});
$("stop").addEventListener("click", stop);
$("share").addEventListener("click", share);
$("new").addEventListener("click", async () => {
  await stop();
  sessionStorage.removeItem("turns");
  sessionStorage.removeItem("live");
  location.assign("/");
});
$("model").addEventListener("change", () => localStorage.setItem("model", $("model").value));
$("door").addEventListener("close", () => {
  if ($("key").value) sessionStorage.setItem("key", $("key").value);
  $("key").value = "";
  loadModels();
});
for (const [label, text] of CHIPS) {
  const chip = element("button", "chip", label);
  chip.type = "button";
  chip.addEventListener("click", () => ask(text));
  const item = element("li");
  item.append(chip);
  $("chips").append(item);
}
window.addEventListener("hashchange", () => location.reload());
window.addEventListener("pagehide", () => saving && save(saving.answer));

if (watched !== null) watch(watched);
else {
  loadModels();
  resume();
}
