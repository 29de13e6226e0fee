// The script for AWS's Node runtime.
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const text = { "content-type": "text/plain" };

const scenes = {
  async "/streamed"(begin) {
    const out = begin({ statusCode: 200, headers: text });
    out.write("one");
    for (let n = 0; n < 100 && !existsSync(process.env.SIGNAL); n += 1) await sleep(20);
    out.end(existsSync(process.env.SIGNAL) ? "two" : "late");
  },
  async "/headers"(begin) {
    const cookies = ["a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "b=2"];
    const headers = { ...text, "x-one": "1", "x-two": ["1", "2"] };
    const out = begin({ statusCode: 201, headers, cookies });
    // Not end("hello"): without a write there is no prelude.
    out.write("hello");
    out.end();
  },
  async "/empty"(begin) {
    begin({ statusCode: 200, headers: text }).end();
  },
  async "/no-content"(begin) {
    begin({ statusCode: 204, headers: {} }).end();
  },
  async "/before"() {
    throw new Error("sk-secret");
  },
  async "/inside"(begin) {
    begin({ statusCode: 200, headers: text }).write("begun");
    await sleep(100);
    throw new Error("sk-secret");
  },
  async "/long"(begin) {
    begin({ statusCode: 200, headers: text }).write("begun");
    await sleep(100);
    throw new Error("sk-secret".repeat(556));
  },
  async "/deadline"(begin) {
    const out = begin({ statusCode: 200, headers: text });
    out.write("begun");
    await sleep(5000);
    out.end("late");
  },
};

export const handler = awslambda.streamifyResponse(async (event, stream) => {
  await scenes[event.rawPath]((prelude) => awslambda.HttpResponseStream.from(stream, prelude));
});
