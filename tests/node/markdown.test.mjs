// markdown.js on its own: what it makes of markdown, and of markdown that is meant to hurt.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { document } from "./dom.mjs";
import { Steps } from "./steps.mjs";

// Open before the module is loaded: only what is compiled later counts its blocks.
const steps = new Steps();
await steps.open();
after(() => steps.close());

globalThis.document = document;
const { render } = await import("../../functions/proxy/tokenwire/web/markdown.js");
const html = (source) => render(source).html;

const CASES = [
  ["plain", "<p>plain</p>"],
  ["a **b** __c__ *d* _e_ ~~f~~ `g`", "<p>a <strong>b</strong> <strong>c</strong> <em>d</em> <em>e</em> <del>f</del> <code>g</code></p>"],
  ["**a *b* _c_**", "<p><strong>a <em>b</em> <em>c</em></strong></p>"],
  ["snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"],
  ["half **strong, half `code, half [link](http", "<p>half **strong, half `code, half [link](http</p>"],
  ["``a ` b`` and ```c```", "<p><code>a ` b</code> and <code>c</code></p>"],
  ["[a](https://x.test/y) https://z.test/w.", "<p><a href=https://x.test/y>a</a> <a href=https://z.test/w.>https://z.test/w.</a></p>"],
  ["[a](javascript:x) [b](data:x) [c](//x.test) [d](/v1/x) [mail](mailto:a@b.test)", "<p>[a](javascript:x) [b](data:x) [c](//x.test) [d](/v1/x) <a href=mailto:a@b.test>mail</a></p>"],
  ["![alt](https://x.test/i.png)", "<p>!<a href=https://x.test/i.png>alt</a></p>"],
  ["# One #\n###### Six\n#no", "<h2>One</h2><h6>Six</h6><p>#no</p>"],
  ["a\n\n---\n* * *\n-- x", "<p>a</p><hr></hr><hr></hr><p>-- x</p>"],
  ["> a\n> > b\nc", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>"],
  ["- a\n- b\n  - c\n\n1. x\n2) y", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><ol><li>x</li><li>y</li></ol>"],
  ["| a | b |\n|:--|--:|\n| `c` | d\\|e |", "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>c</code></td><td>d|e</td></tr></tbody></table></div>"],
  ["```js\n**x**\n```\ny", "<figure><figcaption>js<button>Copy</button></figcaption><pre><code>**x**</code></pre></figure><p>y</p>"],
  ["~~~\nopen", "<figure><figcaption>text<button>Copy</button></figcaption><pre><code>open</code></pre></figure>"],
  ["a\r\nb\rc", "<p>a\nb\nc</p>"],
];

for (const [source, expected] of CASES) test(`renders ${JSON.stringify(source)}`, () => assert.equal(html(source), expected));

for (const [name, nested] of [
  ["quotes", (n) => ">".repeat(n) + " x"],
  ["spaced quotes", (n) => "> ".repeat(n) + "x"],
  ["lists", (n) => Array.from({ length: n }, (_, at) => " ".repeat(2 * at) + "- x").join("\n")],
  ["lists on one line", (n) => "- ".repeat(n) + "x"],
  ["lists in quotes", (n) => "> - ".repeat(n) + "x"],
  ["emphasis", (n) => "**a __b ~~c *d _e ".repeat(n) + "e_ d* c~~ b__ a**".repeat(n)],
  ["stars", (n) => "*".repeat(n) + "x" + "*".repeat(n)],
  ["brackets", (n) => "[".repeat(n) + "x" + "](https://x.test)".repeat(n)],
]) {
  test(`${name} nested 4,000 deep have a bound, and lose no text`, () => {
    const found = render(nested(4000));
    assert.ok(found.depth < 60, `depth ${found.depth}`);
    assert.match(found.textContent, /x|e/);
  });
}

test("beyond 256 Ki characters text stays plain, and all of it is there", () => {
  const source = "**a** ".repeat(50_000) + "**end**";
  const found = render(source);
  assert.ok(found.textContent.endsWith("**end**"));
  assert.equal(found.childNodes.at(-1).nodeName, "PRE");
});

test("a paragraph of 80,000 spans in a list has all of them", () => {
  const found = render("- " + "`a`".repeat(80_000));
  assert.equal(found.textContent.length, 80_000);
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
    const work = (n) => steps.of("web/markdown.js", () => render(source(n)));
    const [once, twice] = [await work(2000), await work(4000)];
    assert.ok(once > 0);
    assert.ok(twice < 2.6 * once + 200, `${once} steps, then ${twice}`);
  });
}
