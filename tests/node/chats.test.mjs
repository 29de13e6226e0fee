// The parts of a chat that need no browser: its tree, its store, its requests, its sentences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_FILE, readFile } from "../../page/src/chat/files.js";
import { bodyFor } from "../../page/src/chat/request.js";
import { MAX_CHATS, openStore } from "../../page/src/chat/store.js";
import { add, newChat, path, select, versions } from "../../page/src/chat/tree.js";
import { Sentences } from "../../page/src/sentences.js";

const user = (text, more = {}) => ({ role: "user", text, ...more });
const answer = (text, more = {}) => ({ role: "assistant", text, ...more });

test("an edited message is a version of the first, with turns of its own", () => {
  const chat = newChat("c");
  const first = add(chat, user("a"));
  add(chat, answer("b"));
  const edited = add(chat, user("c"), first.parent);
  add(chat, answer("d"));
  assert.deepEqual(path(chat).map(({ text }) => text), ["c", "d"]);
  assert.deepEqual(versions(chat, edited), [first, edited]);
  select(chat, first);
  assert.deepEqual(path(chat).map(({ text }) => text), ["a", "b"]);
});

test("a title is the first line of the first message, cut", () => {
  const title = (text) => {
    const chat = newChat("c");
    add(chat, user(text));
    return chat.title;
  };
  assert.equal(title("  Hello\nworld"), "Hello");
  assert.equal(title("x".repeat(100)), `${"x".repeat(60)}…`);
});

test("without IndexedDB chats are in memory, and the oldest of more than 500 is removed", async () => {
  const store = await openStore();
  assert.equal(store.isKept, false);
  for (let n = 0; n <= MAX_CHATS; n += 1) await store.save({ ...newChat(String(n)), title: `t${n}`, updated: n });
  await store.trim();
  assert.equal((await store.list()).length, MAX_CHATS);
  assert.equal(await store.load("0"), undefined);
  assert.deepEqual((await store.search("T500")).map(({ id }) => id), ["500"]);
});

test("a request has the path's turns, the system prompt and the parameters", async () => {
  const chat = Object.assign(newChat("c"), { model: "m", settings: { system: "s", temperature: 0, tools: [] } });
  add(chat, user("a"));
  add(chat, answer(""));
  const last = add(chat, user("b"));
  assert.deepEqual(await bodyFor(chat, last.id), {
    messages: [{ role: "user", content: "a" }, { role: "user", content: "b" }],
    on_disconnect: "grace=60", model: "m", system: "s", temperature: 0, tools: [],
  });
});

test("calls are sent with their results only", async () => {
  const chat = newChat("c");
  add(chat, user("a"));
  const called = add(chat, answer("", { calls: [{ number: 0, name: "f", arguments: "" }] }));
  assert.deepEqual((await bodyFor(chat, called.id)).messages.map(({ role }) => role), ["user"]);
  const result = add(chat, { role: "tool", text: "", results: [{ id: "call_0", name: "f", text: "r" }] });
  const [, assistant, tool] = (await bodyFor(chat, result.id)).messages;
  assert.deepEqual(assistant.tool_calls, [{ id: "call_0", type: "function", function: { name: "f", arguments: "{}" } }]);
  assert.deepEqual(tool, { role: "tool", tool_call_id: "call_0", content: "r" });
});

test("a text file is its text; other bytes are a file; more than 5 MB is refused", async () => {
  const file = (bytes, name, type = "") => new File([bytes], name, { type });
  assert.deepEqual(await readFile(file("é", "a.txt", "text/plain")), { name: "a.txt", type: "text/plain", text: "é" });
  assert.equal((await readFile(file(Uint8Array.of(0, 255), "a.bin"))).type, "application/octet-stream");
  assert.equal((await readFile(file("%PDF", "a.pdf", "application/pdf"))).text, undefined);
  await assert.rejects(readFile(file(new Uint8Array(MAX_FILE + 1), "a")), /a has more than 5 MB/);
});

test("sentences are complete at every cut, and nothing is lost or said twice", () => {
  const text = "# Title\n\nOne is 1.5 long. **Two!** [Three](https://x.test)? 四。五\n- item\n| a | b |\n|---|---|\n```js\nx\n```\nend";
  const whole = "TitleOneis1.5long.Two!Three?四。五itemabxend";
  for (const step of [1, 3, 7, text.length]) {
    const sentences = new Sentences();
    const said = [];
    for (let at = step; at <= text.length; at += step) said.push(sentences.next(text.slice(0, at)));
    assert.ok(!said.some((each) => /\bOne$|\bTwo$/.test(each)), said.join("|"));
    said.push(sentences.rest(text));
    assert.equal(said.join("").replaceAll(" ", ""), whole, `in steps of ${step}`);
  }
});

test("what is spoken at once is bounded", () => {
  assert.ok(new Sentences().next("word ".repeat(10_000) + "\n").length <= 2000);
});
