// useStream of the packed package: on a server, hydrated, under StrictMode, unmounted, with another id.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Window } from "happy-dom";
import { block, content, server } from "./scripted.mjs";

const window = new Window();
Object.assign(globalThis, { window, document: window.document });
after(() => window.close());

const { StrictMode, createElement } = await import("react");
const { flushSync } = await import("react-dom");
const { createRoot, hydrateRoot } = await import("react-dom/client");
const { renderToString } = await import("react-dom/server");
const { useStream } = await import("tokenwire/react");

const start = block(0, { type: "start", id: "st_1", model: "m", created: 1 });
const done = block(9, "[DONE]");

function storage() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

/** A component that shows what the hook returns; `hook` is what it returned last. */
function component(options) {
  const seen = { renders: 0, errors: [] };
  function Chat(props) {
    seen.hook = useStream({ base: "http://h", ...options, ...props });
    seen.renders++;
    return createElement("p", null, seen.hook.status, ": ", seen.hook.messages.map((m) => `${m.content};`).join(""));
  }
  const place = document.createElement("div");
  const root = createRoot(place, { onUncaughtError: (error) => seen.errors.push(error) });
  const show = (props) => flushSync(() => root.render(createElement(StrictMode, null, createElement(Chat, props))));
  return { Chat, place, root, seen, show };
}

async function until(place, expected) {
  for (let turn = 0; place.textContent !== expected; turn++) {
    assert.ok(turn < 1000, `${place.textContent} is not ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("a server renders the first messages, and touches neither storage nor network", () => {
  const { fetch, requests } = server();
  const forbidden = { getItem: () => assert.fail("read"), setItem: () => assert.fail("written") };
  const initialMessages = [{ id: "1", role: "assistant", content: "Hello" }];
  const { Chat, seen } = component({ id: "c", storage: forbidden, fetch, initialMessages });
  assert.equal(renderToString(createElement(Chat)).replaceAll("<!-- -->", ""), "<p>ready: Hello;</p>");
  const { send, stop, resume, error } = seen.hook;
  assert.deepEqual([typeof send, typeof stop, typeof resume, error], ["function", "function", "function", null]);
  assert.deepEqual(Object.keys(seen.hook), ["messages", "status", "error", "send", "stop", "resume"]);
  assert.equal(requests.length, 0);
});

test("what a server rendered is hydrated before the kept conversation is shown", async () => {
  const kept = storage();
  const first = component({ id: "c", storage: kept, fetch: server({ text: start + content(1, "a") + done }).fetch });
  await first.show();
  await first.seen.hook.send("x");
  const { Chat } = component({ id: "c", storage: kept });
  const place = document.createElement("div");
  place.innerHTML = renderToString(createElement(Chat));
  assert.equal(place.textContent, "ready: ");
  const mismatches = [];
  hydrateRoot(place, createElement(Chat), { onRecoverableError: (error) => mismatches.push(error) });
  await until(place, "ready: x;a;");
  assert.deepEqual(mismatches, []);
});

test("under StrictMode a question is sent once, and every state is shown", async () => {
  const { fetch, requests } = server({ text: start + content(1, "a"), open: true }, { text: "{}" });
  const { place, seen, show } = component({ fetch });
  show();
  flushSync(() => void seen.hook.send("x"));
  assert.equal(place.textContent, "submitted: x;;");
  await until(place, "streaming: x;a;");
  await seen.hook.stop();
  await until(place, "ready: x;a;");
  assert.deepEqual(requests.map(({ method, url }) => [method, url]), [
    ["POST", "http://h/api/stream"],
    ["POST", "http://h/v1/streams/st_1/cancel"],
  ]);
});

test("unmounting ends the reading and not the answer; mounted again, it goes on", async () => {
  const kept = storage();
  const { fetch, requests } = server({ text: start + content(1, "a"), open: true }, { text: content(2, "b") + done });
  const signals = [];
  const watched = (url, options) => (signals.push(options.signal), fetch(url, options));
  const first = component({ id: "c", storage: kept, fetch: watched });
  await first.show();
  void first.seen.hook.send("x");
  await until(first.place, "streaming: x;a;");
  flushSync(() => first.root.unmount());
  assert.ok(signals[0].aborted);
  assert.equal(requests.length, 1);

  const second = component({ id: "c", storage: kept, fetch });
  await second.show();
  await until(second.place, "ready: x;ab;");
  assert.deepEqual([requests.length, requests[1].headers["Last-Event-ID"]], [2, "1-1"]);
});

test("another id is another conversation", async () => {
  const { fetch } = server({ text: content(1, "a") + done }, { text: content(1, "b") + done });
  const { place, seen, show } = component({ storage: storage(), fetch });
  show({ id: "one" });
  await seen.hook.send("x");
  show({ id: "two" });
  assert.equal(place.textContent, "ready: ");
  await seen.hook.send("y");
  await until(place, "ready: y;b;");
  show({ id: "one" });
  await until(place, "ready: x;a;");
});

test("options of the last render count for the next question", async () => {
  const { fetch, requests } = server({ text: done }, { text: done });
  const { seen, show } = component({ fetch });
  show({ model: "one" });
  const { send } = seen.hook;
  show({ model: "two" });
  assert.equal(seen.hook.send, send);
  await send("x");
  assert.equal(JSON.parse(requests[0].body).model, "two");
});

test("a thousand events that arrive together are a few renders", async () => {
  const tokens = Array.from({ length: 1000 }, (_, n) => content(n + 1, "a")).join("");
  const { fetch } = server({ text: start + tokens + done });
  const { place, seen, show } = component({ fetch });
  show();
  await seen.hook.send("x");
  await until(place, `ready: x;${"a".repeat(1000)};`);
  assert.ok(seen.renders < 100, `${seen.renders} renders`);
});
