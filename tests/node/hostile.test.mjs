// tokenwire.js and what others may put before it: links, ids, and streams without an end.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Steps } from "./steps.mjs";

// Open before the module is loaded: only what is compiled later counts its blocks.
const steps = new Steps();
await steps.open();
after(() => steps.close());

const { EventParser, shareLink, stream, StreamError } = await import("../../functions/proxy/tokenwire/web/tokenwire.js");

const GOOD = "/v1/streams/st_AZaz09-_?ticket=1.1795000000.AZaz09-_";
const bytes = (text) => new TextEncoder().encode(text);

const NOT_LINKS = [
  "/v1/streams/../../api/stream?prompt=spend",
  "/v1/streams/st_x/../../../api/stream?ticket=1",
  "/v1/streams/st_x%2f..%2f..%2fapi/stream?ticket=1",
  "/v1/streams/%2e%2e/%2e%2e/api/stream?ticket=1",
  "/v1/streams/st_x?ticket=1&model=m",
  "/v1/streams/st_x?ticket=1#x",
  "/v1/streams/st_x?ticket=1/../..",
  "/v1/streams/st_x?ticket=",
  "/v1/streams/st_x",
  "/v1/streams/st_?ticket=1",
  "/v1/streams/?ticket=1",
  "/v1/streams/st_x/cancel?ticket=1",
  "/v1/streams/st_x?prompt=1&ticket=1",
  "/v1/streams/st_x?Ticket=1",
  "/V1/streams/st_x?ticket=1",
  "/v1/streams/ST_x?ticket=1",
  "/v1//streams/st_x?ticket=1",
  "//evil.test/v1/streams/st_x?ticket=1",
  "\\\\evil.test/v1/streams/st_x?ticket=1",
  "/\\evil.test/v1/streams/st_x?ticket=1",
  "https://evil.test/v1/streams/st_x?ticket=1",
  "http:/v1/streams/st_x?ticket=1",
  "javascript:/v1/streams/st_x?ticket=1",
  " /v1/streams/st_x?ticket=1",
  "/v1/streams/st_x?ticket=1\n",
  "/v1/streams/st_x?ticket=1\u2028",
  "/v1/streams/st_x\t?ticket=1",
  "/v1/streams/st_\u0445?ticket=1", // a Cyrillic x
  "/v1/streams/st_x\u200b?ticket=1",
  "/v1/streams/st_x\uff1fticket=1", // a full-width question mark
  "/v1/streams/st_x?ticket=\ud800",
  "/v1/streams/st_x?ticket=1;x",
  "/v1/streams/st_x?ticket=%31",
  "/v1/streams/st_x?ticket=" + "1".repeat(2000),
  "",
  null,
  undefined,
  ["/v1/streams/st_x?ticket=1"],
  { toString: () => GOOD },
];

test("a share link is a stream's path with a ticket", () => assert.equal(shareLink(GOOD), GOOD));

for (const text of NOT_LINKS) {
  test(`${JSON.stringify(text)?.slice(0, 60)} is no share link`, () => assert.equal(shareLink(text), null));
}

const none = async () => assert.fail("nothing may be fetched");

for (const url of NOT_LINKS.filter((text) => typeof text === "string")) {
  test(`nothing is fetched for ${JSON.stringify(url).slice(0, 60)}`, () => {
    const refused = (error) => error instanceof StreamError && error.code === "invalid_link" && !error.retryable;
    assert.throws(() => stream(null, { base: "http://h", url, fetch: none }), refused);
    assert.throws(() => stream(null, { url, fetch: none }), refused);
  });
}

for (const id of ["..", "../../api/stream", "st_x/..", "st_", "x", "", "st_x?ticket=1", "st_\u0445", "st_" + "x".repeat(2000)]) {
  test(`${JSON.stringify(id).slice(0, 40)} is no stream's id`, () => {
    assert.throws(() => stream(null, { base: "http://h", id, fetch: none }), { code: "invalid_link" });
  });
}

test("a link may have its own server's address before it, and no other's", async () => {
  const requests = [];
  const fetch = async (url) => (requests.push(String(url)), new Response(null, { status: 204 }));
  for await (const _ of stream(null, { base: "http://h", url: `http://h${GOOD}`, fetch }));
  assert.deepEqual(requests, [`http://h${GOOD}`]);
  for (const other of ["http://h.evil.test", "http://h@evil.test", "http://h:1"]) {
    assert.throws(() => stream(null, { base: "http://h", url: `${other}${GOOD}`, fetch: none }), { code: "invalid_link" });
  }
});

test("an event of more than 16 Mi characters is refused, however it is cut", () => {
  const megabyte = bytes("x".repeat(1024 * 1024));
  for (const between of ["", "\ndata:"]) {
    const parser = new EventParser();
    const feed = () => {
      parser.feed(bytes("data:"));
      for (let count = 0; count < 17; count++) {
        parser.feed(megabyte);
        parser.feed(bytes(between));
      }
    };
    assert.throws(feed, { code: "too_large" });
  }
});

test("events one after the other may be more than that together", () => {
  const parser = new EventParser();
  const event = bytes(`data:${"x".repeat(1024 * 1024)}\n\n`);
  for (let count = 0; count < 20; count++) assert.equal(parser.feed(event).length, 1);
});

test("a line in many pieces: twice the pieces, twice the steps", async () => {
  const work = (count) =>
    steps.of("web/tokenwire.js", () => {
      const parser = new EventParser();
      for (let n = 0; n < count; n++) assert.deepEqual(parser.feed(bytes("data: x")), []);
      assert.equal(parser.feed(bytes("\n\n"))[0].data.length, 7 * count - 6);
    });
  const [once, twice] = [await work(1000), await work(2000)];
  assert.ok(once > 1000);
  assert.ok(twice < 2.6 * once, `${once} steps, then ${twice}`);
});
