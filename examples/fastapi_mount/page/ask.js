// Questions and answers with an EventSource alone. Each question is a URL, which can be opened again:
// by the EventSource after a lost connection, and by this page after a reload.

const $ = (id) => document.getElementById(id);
let streamId = null;

function show(role, text) {
  const item = document.createElement("li");
  item.dataset.role = role;
  item.textContent = text;
  $("log").append(item);
  return item;
}

function open(question) {
  show("user", question.prompt);
  const item = show("assistant", "");
  const source = new EventSource(`/llm/api/stream?${new URLSearchParams(question)}`);
  $("send").hidden = !($("stop").hidden = false);

  function close() {
    source.close();
    streamId = null;
    $("send").hidden = !($("stop").hidden = true);
  }

  function end() {
    close();
    sessionStorage.removeItem("question");
  }

  let last = "";
  source.onmessage = ({ data, lastEventId }) => {
    if (data === "[DONE]") return end();
    const event = JSON.parse(data);
    if (event.type === "start") streamId = event.id;
    if (event.type === "content") item.textContent += event.delta;
    if (event.type === "error" && lastEventId !== last) {
      // With an id of its own, an error is the end of the stream; without, only of this response.
      if (event.code !== "cancelled") show("error", event.message);
      end();
    }
    last = lastEventId;
  };
  // A refusal, or a page that is being left: the question is kept, and a reload opens it again.
  source.onerror = () => source.readyState === EventSource.CLOSED && close();
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!$("stop").hidden) return;
  const messageId = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("-");
  const question = { prompt: $("form").question.value, messageId };
  $("form").reset();
  sessionStorage.setItem("question", JSON.stringify(question));
  open(question);
});
$("stop").addEventListener("click", () => fetch(`/llm/v1/streams/${streamId}/cancel`, { method: "POST" }));

const kept = sessionStorage.getItem("question");
if (kept) open(JSON.parse(kept));
