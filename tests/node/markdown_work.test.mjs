// The work of the page's markdown: linear in its source, however hostile that is.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { document } from "./dom.mjs";
import { Steps } from "./steps.mjs";

// Open before the module is loaded: only what is compiled later counts its blocks.
const steps = new Steps();
await steps.open();
after(() => steps.close());

globalThis.document = document;
const { Markdown, render } = await import("../../page/src/markdown/incremental.js");

test("twice the blocks, twice the steps", async () => {
  const work = (count) =>
    steps.of("markdown/tree.js", () => {
      const shown = new Markdown(document.createElement("div"));
      let text = "";
      for (let n = 0; n < count; n += 1) shown.update((text += `Block **${n}**.\n\n`));
      shown.finish();
    });
  const [once, twice] = [await work(200), await work(400)];
  assert.ok(twice < 2.6 * once, `${once} steps, then ${twice}`);
});

// Each is hard for a matcher that tries again from every place.
const HOSTILE = {
  "open brackets": (n) => "[".repeat(n),
  "brackets before one link": (n) => "[".repeat(n) + "](" + "a".repeat(n) + " )",
  "open links": (n) => "[a](".repeat(n),
  "links without an end": (n) => "[](x".repeat(n),
  "ticks": (n) => "`".repeat(n),
  "runs of ticks": (n) => Array.from({ length: n / 8 }, (_, at) => "`".repeat(1 + (at % 15)) + "a").join(""),
  "stars": (n) => "*".repeat(n),
  "stars and spaces": (n) => "* ".repeat(n),
  "words with stars": (n) => "**a ".repeat(n),
  "underscores": (n) => "_a".repeat(n),
  "tildes": (n) => "~".repeat(n),
  "half addresses": (n) => "http://".repeat(n),
  "a heading of spaces": (n) => "# " + " ".repeat(n) + "x",
  "a heading of hashes": (n) => "# " + "# ".repeat(n),
  "a rule that is none": (n) => "- ".repeat(n) + "x",
  "a table of spaces": (n) => "|\n" + " ".repeat(n) + "-x",
  "a table of dashes": (n) => "|\n" + "|-".repeat(n) + "x",
  "bars": (n) => "|".repeat(n),
  "fences": (n) => "```\n```\n".repeat(n / 8),
  "open fences": (n) => "````\n```\n".repeat(n / 8),
  "empty quotes": (n) => ">\n\n".repeat(n / 4),
  "items": (n) => "- a\n".repeat(n / 4),
  "mixed items": (n) => "- a\n1. b\n".repeat(n / 8),
  "blank lines in items": (n) => "- a\n" + "\n".repeat(n),
  "carriage returns": (n) => "\r".repeat(n),
  "line separators": (n) => "- " + " \u2028".repeat(n),
};

for (const [name, source] of Object.entries(HOSTILE)) {
  test(`${name}: twice the text, twice the steps`, async () => {
    const work = (n) => steps.of("markdown-it.mjs", () => render(source(n)));
    const [once, twice] = [await work(2000), await work(4000)];
    assert.ok(once > 0);
    assert.ok(twice < 2.6 * once + 200, `${once} steps, then ${twice}`);
  });
}
