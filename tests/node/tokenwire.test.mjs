// tokenwire.js on its own: its parser at every cut, and its manners when the network fails.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { block, bytes, content, server } from "./scripted.mjs";
import { EventParser, StreamError, requestHeaders, stream } from "../../functions/proxy/tokenwire/web/tokenwire.js";

const parse = (...chunks) => {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.feed(chunk)).map(({ type, data, lastEventId }) => [type, data, lastEventId]);
};

for (const [name, end] of [["LF", "\n"], ["CRLF", "\r\n"], ["CR", "\r"]]) {
  test(`the same events at every cut, ${name}`, () => {
    const lines = ["\uFEFF: c", "id: 1-2", "event: e", "data: ü☃🎈", "data:  x", "", "data", "retry: 5", "", "data: unfinished"];
    const all = bytes(lines.join(end));
    const expected = [["e", "ü☃🎈\n x", "1-2"], ["message", "", "1-2"]];
    assert.deepEqual(parse(all), expected);
    for (let at = 0; at <= all.length; at++) assert.deepEqual(parse(all.slice(0, at), all.slice(at)), expected);
    assert.deepEqual(parse(...Array.from(all, (byte) => Uint8Array.of(byte))), expected);
  });
}

test("ids, retry and pings follow the specification", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.feed(bytes("id: 1\n\nid: a\0b\nretry: +5\n: ping\n: ping\ndata: x\n\n")).length, 1);
  assert.equal(parser.lastEventId, "1");
  assert.equal(parser.retry, null);
  parser.feed(bytes("retry: 50\nid\n\n"));
  assert.equal(parser.retry, 50);
  assert.equal(parser.lastEventId, "");
});

// --- the client, against scripted responses ---

async function read(answer) {
  const said = [];
  for await (const event of answer) said.push(event.delta ?? event.type);
  return said.join("");
}

test("a whole stream is read once", async () => {
  const { fetch, requests } = server({ text: content(1, "a") + content(2, "b") + block(3, "[DONE]") });
  const answer = stream({ message: "x" }, { base: "http://h", fetch, key: "k" });
  assert.equal(await read(answer), "ab");
  assert.equal(answer.id, "st_1");
  assert.equal(answer.progress.state, "done");
  assert.equal(answer.progress.tokens, 2);
  assert.equal(requests.length, 1);
  assert.deepEqual([requests[0].url, requests[0].method, requests[0].headers.Authorization], ["http://h/api/stream", "POST", "Bearer k"]);
});

test("a lost connection is resumed after the last event, and never posted again", async () => {
  const { fetch, requests } = server(
    { text: "retry: 1\n" + content(1, "a") },
    { status: 503 },
    new TypeError("no network"),
    { text: content(2, "b") + block(3, "[DONE]") },
  );
  const answer = stream({ message: "x" }, { base: "http://h", fetch });
  assert.equal(await read(answer), "ab");
  assert.deepEqual(requests.map(({ method }) => method), ["POST", "GET", "GET", "GET"]);
  assert.deepEqual([requests[3].url, requests[3].headers["Last-Event-ID"]], ["http://h/v1/streams/st_1", "1-1"]);
  assert.equal(answer.progress.reconnects, 3);
});

test("204 is the end, 404 and 410 are final", async () => {
  assert.equal(await read(stream(null, { base: "http://h", id: "st_1", lastEventId: "1-9", fetch: server({ status: 204 }).fetch })), "");
  for (const status of [401, 404, 410]) {
    const { fetch, requests } = server({ status, text: '{"type":"error","code":"gone","message":"m","retryable":false}' });
    await assert.rejects(read(stream(null, { base: "http://h", id: "st_1", fetch })), (error) => error instanceof StreamError && error.code === "gone" && error.status === status);
    assert.equal(requests.length, 1);
  }
});

test("before a stream has an id nothing is tried twice", async () => {
  const { fetch, requests } = server(new TypeError("no network"), { text: "" });
  await assert.rejects(read(stream({ message: "x" }, { base: "http://h", fetch })), { code: "network" });
  assert.equal(requests.length, 1);
});

test("a POST with an idempotency key is sent again until its stream has an id, then resumed", async () => {
  const { fetch, requests } = server(
    new TypeError("no network"),
    { text: "retry: 1\n" + content(1, "a") },
    { text: content(2, "b") + block(3, "[DONE]") },
  );
  assert.equal(await read(stream({ message: "x" }, { base: "http://h", fetch, idempotencyKey: "k-1" })), "ab");
  assert.deepEqual(requests.map(({ method, headers }) => [method, headers["Idempotency-Key"]]), [["POST", "k-1"], ["POST", "k-1"], ["GET", undefined]]);
  assert.equal(requests[0].body, requests[1].body);
});

test("an error event is the stream's last word", async () => {
  const text = content(1, "a") + block(2, { type: "error", code: "lost", message: "m", retryable: true });
  const { fetch, requests } = server({ text });
  await assert.rejects(read(stream({ message: "x" }, { base: "http://h", fetch })), { code: "lost", retryable: true });
  assert.equal(requests.length, 1);
});

test("it gives up in the end", async () => {
  const { fetch, requests } = server({ text: "retry: 1\n" + content(1, "a") }, { broken: true }, { broken: true }, { broken: true });
  await assert.rejects(read(stream({ message: "x" }, { base: "http://h", fetch, maxRetries: 2 })), StreamError);
  assert.equal(requests.length, 3);
});

test("an abort ends it without an error", async () => {
  const controller = new AbortController();
  const { fetch } = server({ text: "retry: 60000\n" + content(1, "a") });
  const answer = stream({ message: "x" }, { base: "http://h", fetch, signal: controller.signal });
  const reading = read(answer);
  setTimeout(() => controller.abort(), 20);
  assert.equal(await reading, "a");
});

test("behind CloudFront the key is x-api-key, and each POST has its body's hash", async () => {
  const { fetch, requests } = server({ text: "retry: 1\n" + content(1, "a") }, { text: content(2, "ü") + block(3, "[DONE]") }, { text: "{}" });
  const answer = stream({ message: "ü" }, { base: "https://h", fetch, key: "k", cloudfront: true });
  assert.equal(await read(answer), "aü");
  await answer.cancel();
  const [post, resume, cancel] = requests.map(({ headers }) => headers);
  const hashes = [requests[0].body, ""].map((body) => createHash("sha256").update(body).digest("hex"));
  assert.deepEqual([post["x-amz-content-sha256"], cancel["x-amz-content-sha256"]], hashes);
  assert.equal(resume["x-amz-content-sha256"], undefined);
  for (const headers of [post, resume, cancel]) assert.deepEqual([headers["x-api-key"], headers.Authorization], ["k", undefined]);
});

test("the page says whether it is behind CloudFront, for its own server only", async () => {
  const content_ = { content: "cloudfront" };
  globalThis.document = { querySelector: (selector) => (selector === 'meta[name="tokenwire-front"]' ? content_ : null) };
  const done = () => server({ text: block(1, "[DONE]") });
  const [own, other] = [done(), done()];
  try {
    assert.deepEqual(requestHeaders({ key: "k" }), { "x-api-key": "k" });
    await read(stream({ message: "x" }, { fetch: own.fetch, key: "k" }));
    await read(stream({ message: "x" }, { fetch: other.fetch, key: "k", base: "https://h" }));
    content_.content = "direct";
    assert.deepEqual(requestHeaders({ key: "k" }, "POST"), { Authorization: "Bearer k" });
  } finally {
    delete globalThis.document;
  }
  assert.match(own.requests[0].headers["x-amz-content-sha256"], /^[0-9a-f]{64}$/);
  assert.deepEqual([other.requests[0].headers.Authorization, other.requests[0].headers["x-amz-content-sha256"]], ["Bearer k", undefined]);
});

test("cancel asks the server", async () => {
  const { fetch, requests } = server({ text: "{}" });
  const answer = stream(null, { base: "http://h", id: "st_1", fetch });
  await answer.cancel();
  assert.deepEqual([requests[0].url, requests[0].method], ["http://h/v1/streams/st_1/cancel", "POST"]);
});

for (const code of ["connection_expired", "store_unavailable"]) {
  test(`${code}, which has no id, ends the response and not the stream`, async () => {
    const why = `data: ${JSON.stringify({ type: "error", code, message: "", retryable: true })}\n\n`;
    const { fetch, requests } = server({ text: `retry: 1\n${content(1, "a")}${why}` }, { text: content(2, "b") + block(3, "[DONE]") });
    assert.equal(await read(stream({ message: "x" }, { base: "http://h", fetch })), "ab");
    assert.equal(requests[1].headers["Last-Event-ID"], "1-1");
  });
}

const lease = (seconds) => ({ "x-tokenwire-lease": String(seconds) });
const until = async (check) => {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2));
};
const presence = (requests) => requests.filter(({ url }) => url.includes("/viewers/")).map(({ method, url }) => [method, url.split("/viewers/")[1]]);

test("where the server asks for it, a viewer renews its lease, and says when it leaves", async () => {
  const { fetch, requests } = server({ text: content(1, "a"), open: true, headers: lease(0.03) }, {}, {}, {}, {}, {}, {}, {}, {});
  for await (const event of stream({ message: "x" }, { base: "http://h", fetch, key: "k" })) {
    assert.equal(event.delta, "a");
    await until(() => presence(requests).length >= 2);
    break;
  }
  const viewer = requests[0].headers["X-Tokenwire-Viewer"];
  assert.match(viewer, /^[A-Za-z0-9_-]{8,64}$/);
  const said = presence(requests);
  assert.ok(said.length >= 3);
  assert.deepEqual(said.at(-1), ["POST", `${viewer}/leave`]);
  assert.ok(said.slice(0, -1).every(([method, what]) => method === "POST" && what === viewer));
  const before = requests.length;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(requests.length, before);
  assert.ok(requests.every(({ headers }) => headers.Authorization === "Bearer k"));
});

test("leaving by abort is said too; a broken connection and a finished answer are not leaving", async () => {
  const controller = new AbortController();
  const aborted = server({ text: content(1, "a"), open: true, headers: lease(9) }, {});
  const answer = stream({ message: "x" }, { base: "http://h", fetch: aborted.fetch, signal: controller.signal });
  for await (const _ of answer) controller.abort();
  assert.match(presence(aborted.requests).at(-1)[1], /\/leave$/);
  const broken = server(
    { text: `retry: 1\n${content(1, "a")}`, headers: lease(9) },
    { text: content(2, "b") + block(3, "[DONE]"), headers: lease(9) },
  );
  assert.equal(await read(stream({ message: "x" }, { base: "http://h", fetch: broken.fetch })), "ab");
  assert.deepEqual(presence(broken.requests), []);
});

test("a viewer with a ticket shows it with its lease", async () => {
  const { fetch, requests } = server({ text: content(1, "a"), open: true, headers: lease(0.03) }, {}, {}, {}, {}, {}, {});
  for await (const _ of stream(null, { base: "http://h", url: "/v1/streams/st_1?ticket=t", fetch })) {
    await until(() => presence(requests).length > 0);
    break;
  }
  assert.ok(presence(requests).every(([, what]) => what.endsWith("?ticket=t")));
});
