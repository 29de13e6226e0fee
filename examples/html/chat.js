// A chat without a framework. A reload in the middle of an answer resumes it.
import { stream } from "http://127.0.0.1:8000/tokenwire.js";

const base = "http://127.0.0.1:8000";
const $ = (id) => document.getElementById(id);

// What survives a reload: the turns that are complete, and the question whose answer runs.
const kept = JSON.parse(sessionStorage.getItem("chat") ?? '{"turns": [], "key": null}');
const keep = () => sessionStorage.setItem("chat", JSON.stringify(kept));
let answer = null;

function show({ role, content }) {
  const item = document.createElement("li");
  item.dataset.role = role;
  item.textContent = content;
  $("log").append(item);
  return item;
}

async function run() {
  const item = show({ role: "assistant", content: "" });
  const messages = kept.turns;
  // The key names the request: sent again after a reload, it joins the answer from its beginning.
  answer = stream({ messages }, { base, idempotencyKey: kept.key });
  $("send").hidden = !($("stop").hidden = false);
  try {
    for await (const event of answer) if (event.type === "content") item.textContent += event.delta;
  } catch (error) {
    if (error.code !== "cancelled") show({ role: "error", content: error.message });
  }
  if (item.textContent) kept.turns.push({ role: "assistant", content: item.textContent });
  kept.key = answer = null;
  keep();
  $("send").hidden = !($("stop").hidden = true);
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (answer) return;
  const turn = { role: "user", content: $("form").question.value };
  $("form").reset();
  show(turn);
  kept.turns.push(turn);
  kept.key = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("");
  keep();
  run();
});
$("stop").addEventListener("click", () => answer?.cancel());

kept.turns.forEach(show);
if (kept.key) run();
