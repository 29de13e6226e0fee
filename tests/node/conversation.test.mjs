// conversation.js of the packed package: questions, stopping, resuming, and what survives a reload.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { block, content, server } from "./scripted.mjs";

const { Conversation } = await import(pathToFileURL(`${process.env.TOKENWIRE_PACKAGE}/conversation.js`));

const done = block(9, "[DONE]");
const finish = block(8, { type: "finish", reason: "stop" });
const start = block(0, { type: "start", id: "st_1", model: "m", created: 1 });
const failure = (code, retryable) => block(9, { type: "error", code, message: "m", retryable });

function storage() {
  const kept = new Map();
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

function conversation(answers, options = {}) {
  const scripted = server(...answers);
  return { ...scripted, chat: new Conversation({ base: "http://h", fetch: scripted.fetch, ...options }) };
}

async function until(chat, reached) {
  for (let turn = 0; !reached(chat.getSnapshot()); turn++) {
    assert.ok(turn < 2000, `never: ${JSON.stringify(chat.getSnapshot())}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const last = (chat) => chat.getSnapshot().messages.at(-1);

test("a question is posted with the turns before it, and its answer is the last message", async () => {
  const { chat, requests } = conversation(
    [{ text: start + content(1, "a") + content(2, "b") + finish + done }, { text: content(1, "c") + done }],
    { model: "m", system: "s", body: { temperature: 0 }, key: "k" },
  );
  const statuses = new Set();
  chat.subscribe(() => statuses.add(chat.getSnapshot().status));
  await chat.send("Hi");
  assert.deepEqual(chat.getSnapshot().messages.map(({ role, content }) => [role, content]), [["user", "Hi"], ["assistant", "ab"]]);
  assert.equal(last(chat).finishReason, "stop");
  assert.deepEqual([...statuses], ["ready", "submitted", "streaming"]);
  assert.equal(chat.getSnapshot().status, "ready");
  await chat.send("again");
  const user = { role: "user", content: "Hi" };
  const turns = [user, { role: "assistant", content: "ab" }, { role: "user", content: "again" }];
  assert.deepEqual(requests.map(({ body }) => JSON.parse(body)), [
    { temperature: 0, model: "m", system: "s", messages: [user] },
    { temperature: 0, model: "m", system: "s", messages: turns },
  ]);
  assert.equal(requests[0].headers.Authorization, "Bearer k");
  assert.notEqual(requests[0].headers["Idempotency-Key"], requests[1].headers["Idempotency-Key"]);
});

test("reasoning and tool calls are collected beside the text; other choices are not", async () => {
  const call = (id, fields) => block(id, { type: "tool_call", ...fields });
  const { chat } = conversation([{
    text: block(1, { type: "reasoning", delta: "h" }) + block(2, { type: "reasoning", delta: "m" })
      + call(3, { call: 1, id: "c1", name: "f", arguments: '{"a"' }) + call(4, { call: 1, arguments: ":1}" })
      + call(5, { call: 128, id: "x" }) + call(6, { call: -1 }) + block(7, { type: "content", delta: "no", choice: 1 }) + done,
  }]);
  await chat.send("x");
  const { content: text, reasoning, toolCalls } = last(chat);
  assert.deepEqual([text, reasoning], ["", "hm"]);
  assert.deepEqual(toolCalls, [{ id: "", name: "", arguments: "" }, { id: "c1", name: "f", arguments: '{"a":1}' }]);
});

test("messages that did not change stay the same objects; the growing one is a new one", async () => {
  const { chat } = conversation([{ text: content(1, "a"), open: true }]);
  const before = chat.getSnapshot();
  chat.send("x");
  await until(chat, () => last(chat)?.content === "a");
  const first = chat.getSnapshot();
  assert.equal(chat.getSnapshot(), first);
  assert.notEqual(first, before);
  await chat.stop();
  assert.equal(chat.getSnapshot().messages[0], first.messages[0]);
  assert.notEqual(last(chat), first.messages[1]);
});

test("stop cancels the generation at the server, and keeps the text", async () => {
  const { chat, requests } = conversation([{ text: start + content(1, "a"), open: true }, { text: "{}" }]);
  chat.send("x");
  await until(chat, ({ status }) => status === "streaming");
  const stopping = chat.stop();
  assert.deepEqual([chat.getSnapshot().status, last(chat).finishReason], ["ready", "cancelled"]);
  await stopping;
  assert.deepEqual(requests.map(({ method, url }) => [method, url]), [["POST", "http://h/api/stream"], ["POST", "http://h/v1/streams/st_1/cancel"]]);
  await chat.stop();
  assert.equal(requests.length, 2);
});

test("stop before the server has answered cancels the stream once its id is known", async () => {
  const { fetch, requests } = server({ text: start, open: true }, { text: "{}" });
  let answer;
  const gate = new Promise((resolve) => (answer = resolve));
  const slow = async (...args) => (await gate, fetch(...args));
  const chat = new Conversation({ base: "http://h", fetch: slow });
  chat.send("x");
  const stopping = chat.stop();
  assert.equal(chat.getSnapshot().status, "ready");
  answer();
  await stopping;
  assert.equal(requests[1].url, "http://h/v1/streams/st_1/cancel");
});

test("the server's own cancellation is no error", async () => {
  const { chat } = conversation([{ text: content(1, "a") + failure("cancelled", false) }]);
  await chat.send("x");
  assert.deepEqual([chat.getSnapshot().status, chat.getSnapshot().error, last(chat).finishReason], ["ready", null, "cancelled"]);
});

test("a connection that cannot be healed is an error, and resume goes on where it was", async () => {
  const { chat, requests } = conversation(
    [{ text: "retry: 1\n" + content(1, "a") }, { broken: true }, { text: content(2, "b") + finish + done }],
    { maxRetries: 1 },
  );
  await chat.send("x");
  assert.deepEqual([chat.getSnapshot().status, last(chat).content], ["error", "a"]);
  await chat.resume();
  assert.deepEqual([chat.getSnapshot().status, chat.getSnapshot().error, last(chat).content], ["ready", null, "ab"]);
  assert.equal(requests[2].headers["Last-Event-ID"], "1-1");
  await chat.resume();
  assert.equal(requests.length, 3);
});

test("while it reconnects the status says so", async () => {
  const { chat } = conversation([{ text: "retry: 20\n" + content(1, "a") }, { text: done }]);
  const statuses = [];
  chat.subscribe(() => statuses.push(chat.getSnapshot().status));
  await chat.send("x");
  assert.ok(statuses.includes("reconnecting"));
});

test("an error that ended the stream keeps the text, and leaves nothing to resume", async () => {
  const { chat, requests } = conversation([{ text: content(1, "a") + failure("lost", true) }, { text: done }]);
  await chat.send("x");
  assert.deepEqual([chat.getSnapshot().status, chat.getSnapshot().error.code, last(chat).content], ["error", "lost", "a"]);
  await chat.resume();
  assert.equal(requests.length, 1);
  await chat.send("y");
  assert.deepEqual([chat.getSnapshot().status, chat.getSnapshot().error], ["ready", null]);
});

test("stop after a lost connection cancels the stream that goes on at the server", async () => {
  const { chat, requests } = conversation([{ text: "retry: 1\n" + content(1, "a") }, { text: "{}" }], { maxRetries: 0 });
  await chat.send("x");
  await chat.stop();
  assert.equal(requests[1].url, "http://h/v1/streams/st_1/cancel");
  assert.equal(chat.getSnapshot().status, "ready");
});

test("a second question is refused while an answer runs", async () => {
  const { chat, requests } = conversation([{ text: content(1, "a"), open: true }, { text: "{}" }]);
  chat.send("x");
  await assert.rejects(chat.send("y"), { name: "StreamError", code: "busy" });
  assert.equal(requests.length, 1);
  await chat.stop();
});

test("detaching ends the reading, and attaching again goes on: what StrictMode does", async () => {
  const { chat, requests } = conversation([
    { text: start + content(1, "a"), open: true },
    { text: content(2, "b") + done },
  ]);
  chat.attach();
  chat.detach();
  chat.attach();
  assert.equal(requests.length, 0);
  chat.send("x");
  await until(chat, () => last(chat).content === "a");
  chat.detach();
  chat.attach();
  await until(chat, ({ status }) => status === "ready");
  assert.equal(last(chat).content, "ab");
  assert.deepEqual(requests.map(({ method }) => method), ["POST", "GET"]);
});

test("a reload resumes the answer after what was kept", async () => {
  const kept = storage();
  const before = conversation([{ text: start + content(1, "a"), open: true }], { id: "c", storage: kept });
  before.chat.attach();
  before.chat.send("x");
  await until(before.chat, () => last(before.chat).content === "a");
  before.chat.detach();

  const after = conversation([{ text: content(2, "b") + finish + done }], { id: "c", storage: kept });
  assert.deepEqual(after.chat.getSnapshot(), after.chat.getInitialSnapshot());
  after.chat.attach();
  await until(after.chat, ({ status }) => status === "ready");
  assert.deepEqual(after.chat.getSnapshot().messages.map(({ content }) => content), ["x", "ab"]);
  assert.deepEqual([after.requests[0].url, after.requests[0].headers["Last-Event-ID"]], ["http://h/v1/streams/st_1", "1-1"]);

  const later = conversation([], { id: "c", storage: kept });
  later.chat.attach();
  assert.deepEqual([later.chat.getSnapshot().status, last(later.chat).finishReason], ["ready", "stop"]);
});

test("a reload before the first event sends the same request with the same key", async () => {
  const kept = storage();
  const before = conversation([{ open: true }], { id: "c", storage: kept });
  before.chat.attach();
  before.chat.send("x");
  await until(before.chat, () => before.requests.length === 1);
  before.chat.detach();
  const after = conversation([{ text: start + content(1, "a") + done }], { id: "c", storage: kept, model: "other" });
  after.chat.attach();
  await until(after.chat, ({ status }) => status === "ready");
  assert.equal(last(after.chat).content, "a");
  assert.equal(after.requests[0].body, before.requests[0].body);
  assert.equal(after.requests[0].headers["Idempotency-Key"], before.requests[0].headers["Idempotency-Key"]);
});

for (const [name, text] of [
  ["no JSON", "{"],
  ["another format", '{"format":0}'],
  ["no messages", '{"format":1}'],
]) {
  test(`a storage with ${name} is an empty conversation`, () => {
    const kept = storage();
    kept.setItem("tokenwire:c", text);
    const { chat } = conversation([], { id: "c", storage: kept });
    chat.attach();
    assert.deepEqual(chat.getSnapshot(), { messages: [], status: "ready", error: null });
  });
}

test("an id in the storage that is no stream's is an error, and is not requested", async () => {
  const kept = storage();
  const running = { key: "k", body: null, id: "../../v1/models", lastEventId: "" };
  kept.setItem("tokenwire:c", JSON.stringify({ format: 1, messages: [{ id: "a", role: "assistant", content: "" }], running }));
  const { chat, requests } = conversation([], { id: "c", storage: kept });
  chat.attach();
  await until(chat, ({ status }) => status === "error");
  assert.equal(chat.getSnapshot().error.code, "invalid_link");
  assert.equal(requests.length, 0);
});

test("a storage that is full or forbidden does not stop the answer", async () => {
  const full = { getItem() { throw new Error("forbidden"); }, setItem() { throw new Error("full"); } };
  const { chat } = conversation([{ text: content(1, "a") + done }], { id: "c", storage: full });
  chat.attach();
  await chat.send("x");
  assert.equal(last(chat).content, "a");
});
