// The page's markdown on its own: what it makes of markdown, and of markdown that is meant to hurt.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, document } from "./dom.mjs";

globalThis.document = document;
const { Markdown, MAX_SOURCE, render } = await import("../../page/src/markdown/incremental.js");
const inner = (node) => node.childNodes.map((child) => child.html).join("");
const html = (source) => inner(render(source));

const CASES = [
  ["plain", "<p>plain</p>"],
  ["a **b** __c__ *d* _e_ ~~f~~ `g`", "<p>a <strong>b</strong> <strong>c</strong> <em>d</em> <em>e</em> <s>f</s> <code>g</code></p>"],
  ["**a *b* _c_**", "<p><strong>a <em>b</em> <em>c</em></strong></p>"],
  ["***bold italic*** and **bold *both***", "<p><em><strong>bold italic</strong></em> and <strong>bold <em>both</em></strong></p>"],
  ["snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"],
  ["half **strong, half `code, half [link](http", "<p>half **strong, half `code, half [link](http</p>"],
  ["``a ` b`` and ```c```", "<p><code>a ` b</code> and <code>c</code></p>"],
  ["[a](https://x.test/a_(b)) [b](<https://x.test/c d>)", "<p><a href=https://x.test/a_(b)>a</a> <a href=https://x.test/c%20d>b</a></p>"],
  ["https://z.test/w, https://z.test/w. (https://z.test/w) https://z.test/a_(b)?c=d,e", "<p><a href=https://z.test/w>https://z.test/w</a>, <a href=https://z.test/w>https://z.test/w</a>. (<a href=https://z.test/w>https://z.test/w</a>) <a href=https://z.test/a_(b)?c=d,e>https://z.test/a_(b)?c=d,e</a></p>"],
  ["[a](javascript:x) [b](data:x) [c](//x.test) [d](/v1/x) [mail](mailto:a@b.test)", "<p>[a](javascript:x) [b](data:x) [c](//x.test) [d](/v1/x) <a href=mailto:a@b.test>mail</a></p>"],
  ["x.test //x.test ftp://x.test a@x.test", "<p>x.test //x.test ftp://x.test a@x.test</p>"],
  ["![alt](https://x.test/i.png)", "<p><a href=https://x.test/i.png>🖼 alt</a></p>"],
  ["<b>x</b><!-- y --><script>z</script> a<br>b<br/>c", "<p><b>x</b><!-- y --><script>z</script> a<br></br>b<br></br>c</p>"],
  ["# One #\n###### Six\n#no", "<h2>One</h2><h6>Six</h6><p>#no</p>"],
  ["a\n\n---\n* * *\n-- x", "<p>a</p><hr></hr><hr></hr><p>-- x</p>"],
  ["> a\n> > b\n\nc", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>"],
  ["- a\n- b\n  - c\n\n1. x\n2. y", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><ol><li>x</li><li>y</li></ol>"],
  ["3. c\n4. d", "<ol start=3><li>c</li><li>d</li></ol>"],
  ["- [ ] a\n- [x] **b**\n- [y] c", "<ul><li class=task><span class=box></span>a</li><li class=task><span class=box done></span><strong>b</strong></li><li>[y] c</li></ul>"],
  ["| a | b | c |\n|:--|--:|:-:|\n| `c` | d\\|e | f<br>g |", "<div class=scroller><table><thead><tr><th class=left>a</th><th class=right>b</th><th class=center>c</th></tr></thead><tbody><tr><td class=left><code>c</code></td><td class=right>d|e</td><td class=center>f<br></br>g</td></tr></tbody></table></div>"],
  ["```js\n**x**\n```\ny", "<figure class=code><figcaption><span>js</span><button class=copy>Copy</button></figcaption><pre><code>**x**</code></pre></figure><p>y</p>"],
  ["~~~\nopen", "<figure class=code><figcaption><span>text</span><button class=copy>Copy</button></figcaption><pre><code>open</code></pre></figure>"],
  ["a $x^2$ and $$y$$ \\(z\\) \\[w\\]", "<p>a <span class=math><code>x^2</code></span> and <span class=math display><code>y</code></span> <span class=math><code>z</code></span> <span class=math display><code>w</code></span></p>"],
  ["$$\na\n$$\nb", "<span class=math display><code>\na\n</code></span><p>b</p>"],
  ["\\[\na\n\\]", "<span class=math display><code>\na\n</code></span>"],
  ["It costs $5 or $6, not $ 7$ or \\$8$", "<p>It costs $5 or $6, not $ 7$ or $8$</p>"],
  ["$$ open\n\nb $$", "<p>$$ open</p><p>b $$</p>"],
  ["[a] b\n\n[a]: https://x.test", "<p><a href=https://x.test>a</a> b</p>"],
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

test("beyond 512 Ki characters text stays plain, and all of it is there", () => {
  const source = (`${"**a** b ".repeat(200)}\n\n`).repeat(330) + "**end**";
  const found = render(source);
  assert.ok(found.textContent.endsWith("**end**"));
  assert.equal(found.lastChild.nodeName, "PRE");
  assert.equal(found.lastChild.textContent.length, source.length - MAX_SOURCE);
});

test("a paragraph of more than 32 Ki characters stays plain, and all of it is there", () => {
  const source = "`a`".repeat(80_000);
  assert.equal(html(`- ${source}`), `<ul><li>${source}</li></ul>`);
});

// --- a text that grows ---

const WORDS = [
  ..."# |> |- |1. |* |`|```|\n|\n\n|\n\n|    |**|_|[a]|[a]: https://x.test|(https://y.test)|| a | b |\n|\n|-|-|\n|$|$$|\\[|\\]|<br>|---|===|\r|\r\n|- [x] |https://z.test,|~~|é☃🎈 |word |word word ".split(
    "|",
  ),
  "|",
  "| a | b |\n|---|:-:|\n",
  "> - x\n",
];

/** The same numbers in every run. */
function numbers(seed) {
  let state = seed;
  return (below) => (state = (state * 48271) % 2147483647) % below;
}

test("a text in pieces shows the same as the whole text at once", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = numbers(seed);
    const pieces = Array.from({ length: 5 + next(60) }, () => WORDS[next(WORDS.length)]);
    const out = document.createElement("div");
    const shown = new Markdown(out);
    let text = "";
    for (const piece of pieces) shown.update((text += piece));
    shown.finish();
    assert.equal(inner(out), html(text), JSON.stringify(pieces));
    assert.equal(inner(out), html(text));
  }
});

test("an answer of 10,000 blocks changes a few nodes with each token, and none of those before", () => {
  const out = document.createElement("div");
  const shown = new Markdown(out);
  let text = "";
  let most = 0;
  for (let n = 0; n < 10_000; n += 1) {
    text += `Block **${n}**, with \`code\`.\n\n`;
    if (n % 10) continue;
    const before = changes.count;
    shown.update(text);
    most = Math.max(most, changes.count - before);
    assert.equal(out.childNodes.length, n + 1);
  }
  assert.ok(most < 150, `${most} changes`);
  const before = changes.count;
  const first = out.firstChild;
  shown.update(text);
  const updated = changes.count;
  shown.finish();
  assert.equal(out.firstChild, first);
  assert.equal(changes.count, updated, `${updated - before} changes, then more at the end`);
});

test("a text that begins anew replaces what was shown", () => {
  const out = document.createElement("div");
  const shown = new Markdown(out);
  shown.update("a\n\nb\n\nc\n\n");
  shown.update("x");
  shown.finish();
  assert.equal(inner(out), "<p>x</p>");
});

// --- nothing of a model becomes anything but text, known elements, and safe links ---

const { formula } = await import("../../page/src/late/math.js");
const { highlight } = await import("../../page/src/late/highlight.js");

const ELEMENTS = new Set(
  "DIV P H2 H3 H4 H5 H6 UL OL LI BLOCKQUOTE HR BR A STRONG EM S CODE PRE FIGURE FIGCAPTION BUTTON SPAN TABLE THEAD TBODY TR TH TD".split(" "),
);
const ATTRIBUTES = new Set("class dir href rel target start tabindex role aria-label scope".split(" "));

function* all(node) {
  for (const child of node.childNodes) {
    yield child;
    yield* all(child);
  }
}

function harmless(root, source) {
  for (const node of all(root)) {
    if (node.nodeType === 3) continue;
    assert.ok(ELEMENTS.has(node.nodeName), `${node.nodeName} of ${JSON.stringify(source)}`);
    for (const [name, value] of node.attributes) {
      assert.ok(ATTRIBUTES.has(name), `${name} of ${JSON.stringify(source)}`);
      if (name === "href") assert.match(value, /^(https?:|mailto:)/i, JSON.stringify(source));
    }
  }
}

const EVIL = [
  "<script>x</script>", "<img src=x onerror=y>", "<svg/onload=z>", "<a href=javascript:x>", "<br onclick=x>", "<br/", "<!--", "-->", "<![CDATA[", "<?",
  "](javascript:x)", "](JaVa\tScRiPt:x)", "](&#106;avascript:x)", "](data:text/html,x)", "](vbscript:x)", "](\\javascript:x)", "](//x.test)", "](https://x.test \"onclick=x\")",
  "<javascript:x>", "<https://x.test/\"onclick=x>", "[x]: javascript:x\n", "[x]: <data:x>\n", "[x]", "![", "![x](javascript:x)", "`", "```html onclick=x\n", "~~~<b>\n",
  "&lt;script&gt;", "&#x3c;b&#62;", "\u0000", "\u202e", "\ud800", "$\\href{javascript:x}{y}$", "$$\\class{x}{y}$$", "\\(\\includegraphics{x}\\)", "|", "\n|-|\n", "\n", "\n\n", "> ", "- ", "__proto__", "constructor", "[__proto__]: https://x.test\n", "[__proto__]",
];

test("of 1,000 hostile texts nothing but known elements and safe links is made", () => {
  for (let seed = 1; seed <= 1000; seed += 1) {
    const next = numbers(seed);
    const source = Array.from({ length: 3 + next(25) }, () => (next(3) ? EVIL[next(EVIL.length)] : WORDS[next(WORDS.length)])).join("");
    harmless(render(source), source);
  }
});

const TEX = [
  "\\frac{", "}{", "}", "{", "^", "_", "x", "\\sqrt", "\\left(", "\\right)", "\\href{javascript:x}{y}", "\\url{https://x.test}", "\\includegraphics{x.png}", "\\class{a b}{c}", "\\id{x}{y}", "\\style{position:fixed}{x}",
  "\\data{a=b}{c}", "\\color{red}", "\\color{url(x)}", "\\textcolor{#f00}{x}", "\\colorbox{expression(x)}{y}", "\\rule{9999em}{9999em}", "\\kern-9999em", "\\def\\a{\\a\\a}\\a", "\\newcommand{\\b}{\\b}\\b", "\\begin{matrix}", "\\end{matrix}", "&", "\\\\", "\\tag{<b>}",
  "\\text{<script>x</script>}", "\\unicode{x}", "\\verb|<b>|", "\\mathbb{R}", "\\cancel{x}", "\\boxed{x}", "\\label{x}", "\\ref{x}", "%", "#1", "\\char60",
];
const MATH_ATTRIBUTES = /^(?!on|href|src|style|id|xlink)/;

test("of 1,000 hostile formulas nothing but MathML without links, styles and handlers is made", () => {
  let made = 0;
  for (let seed = 1; seed <= 1000; seed += 1) {
    const next = numbers(seed);
    const source = Array.from({ length: 1 + next(8) }, () => TEX[next(TEX.length)]).join(" ");
    const found = formula(source, seed % 2 === 0);
    if (found === null) continue;
    made += 1;
    for (const node of all({ childNodes: [found] })) {
      assert.match(node.nodeName, /^(#TEXT|#FRAGMENT|MATH|NONE|M[A-Z]+)$/, source);
      for (const name of node.attributes.keys()) assert.match(name, MATH_ATTRIBUTES, source);
      for (const value of Object.values(node.style)) assert.doesNotMatch(value, /url|expression|fixed|[()]/, source);
    }
  }
  assert.ok(made > 100, `${made} formulas`);
});

test("a formula that expands or nests without end is not made", () => {
  assert.equal(formula("\\def\\a{\\a\\a}\\a", false), null);
  assert.ok(formula("{".repeat(900) + "x" + "}".repeat(900), false).depth < 10);
  assert.equal(formula("\\sqrt{".repeat(300) + "x" + "}".repeat(300), false), null);
});

test("colours are spans of text, and lose none of it", () => {
  for (const [language, code] of [
    ["JavaScript", "const a = `${b}<script>`; // c"], ["html", "<b onclick='x'>y</b><script>z</script>"], ["python", "def f(x): return '<b>'"],
    ["markdown", "[x](javascript:y) **b**"], ["sh", "echo $(ls) # x"], ["json", '{"a": [1, null]}'],
  ]) {
    const found = highlight(language, code);
    assert.equal(found.textContent, code);
    for (const node of all(found)) assert.ok(["SPAN", "#TEXT"].includes(node.nodeName));
  }
  assert.equal(highlight("klingon", "x"), null);
  assert.equal(highlight("__proto__", "x"), null);
});
