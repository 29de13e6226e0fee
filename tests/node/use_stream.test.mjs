// useStream of the packed package, where there is no page: a server renders the first messages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { useStream } from "tokenwire/react";

test("a server renders the first messages, and touches neither storage nor network", () => {
  let requests = 0;
  const storage = { getItem: () => assert.fail("read"), setItem: () => assert.fail("written") };
  const fetch = () => (requests++, Promise.reject(new Error("no network")));
  const initialMessages = [{ id: "1", role: "assistant", content: "Hello" }];
  function Chat() {
    const { messages, status, error, send, stop, resume } = useStream({ id: "c", storage, fetch, initialMessages });
    assert.deepEqual([typeof send, typeof stop, typeof resume, error], ["function", "function", "function", null]);
    return createElement("p", null, status, ": ", messages.map(({ content }) => content));
  }
  assert.equal(renderToString(createElement(Chat)).replaceAll("<!-- -->", ""), "<p>ready: Hello</p>");
  assert.equal(requests, 0);
});
