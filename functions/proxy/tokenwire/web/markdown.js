// Converts Markdown to DOM nodes. Text is only inserted as text, never by innerHTML, so a model
// cannot write markup, and links have safe schemes only.
//
// The source is untrusted. Work is linear in its length: no part is searched twice for the same
// text, nesting is bounded, and text after MAX_SOURCE characters stays plain.

const SAFE_LINK = /^(https?:|mailto:)/i;
const MAX_SOURCE = 256 * 1024;
const MAX_DEPTH = 12;
const MAX_TICKS = 16;

/** Renders markdown into a fragment. Incomplete constructs are shown as they are so far. */
export function render(source) {
  const out = blocks(source.slice(0, MAX_SOURCE).replace(/\r\n?/g, "\n").split("\n"), 0);
  if (source.length > MAX_SOURCE) out.append(element("pre", source.slice(MAX_SOURCE)));
  return out;
}

// --- blocks -------------------------------------------------------------------------------

function blocks(lines, depth) {
  const out = document.createDocumentFragment();
  if (depth >= MAX_DEPTH) {
    out.append(element("p", lines.join("\n")));
    return out;
  }
  let at = 0;
  while (at < lines.length) at = block(lines, at, out, depth);
  return out;
}

function block(lines, at, out, depth) {
  const line = lines[at];
  let match;
  if (line.trim() === "") return at + 1;
  if ((match = line.match(FENCE))) return fence(lines, at, match, out);
  if ((match = line.match(HEADING))) return heading(match, at, out);
  if (isRule(line)) {
    out.append(document.createElement("hr"));
    return at + 1;
  }
  if (QUOTE.test(line)) return quote(lines, at, out, depth);
  if (isTable(lines, at)) return table(lines, at, out);
  if (item(line)) return list(lines, at, out, depth);
  return paragraph(lines, at, out);
}

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s{0,3}([\w+#.-]{0,40})/;
const HEADING = /^(#{1,6})\s/;
const QUOTE = /^\s{0,3}>/;
const ENDS_PARAGRAPH = /^\s{0,3}(```|~~~|#{1,6}\s|>)/;

function heading(match, at, out) {
  const text = match.input.slice(match[1].length).trim();
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  out.append(element(`h${Math.min(6, match[1].length + 1)}`, inline(text.slice(0, end).trim())));
  return at + 1;
}

function isRule(line) {
  const marks = line.replaceAll(" ", "").trim();
  return marks.length >= 3 && "-*_".includes(marks[0]) && marks === marks[0].repeat(marks.length);
}

function fence(lines, at, match, out) {
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(match[1])) end += 1;
  const text = lines.slice(at + 1, end).join("\n");
  const button = element("button", "Copy");
  button.type = "button";
  button.className = "copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1200);
  });
  const head = element("figcaption", match[2] || "text");
  head.append(button);
  const figure = element("figure", head);
  figure.className = "code";
  figure.append(element("pre", element("code", text)));
  out.append(figure);
  return end + 1;
}

function quote(lines, at, out, depth) {
  const inner = [];
  while (at < lines.length && QUOTE.test(lines[at])) inner.push(lines[at++].replace(/^\s{0,3}>\s?/, ""));
  out.append(element("blockquote", blocks(inner, depth + 1)));
  return at;
}

/** A list item's indent, marker and text; null for any other line. */
function item(line) {
  const indent = line.length - line.trimStart().length;
  const marker = line.slice(indent, indent + 11).match(/^([-*+]|\d{1,9}[.)])\s/)?.[1];
  if (!marker) return null;
  return { indent, marker, ordered: marker.length > 1, text: line.slice(indent + marker.length).trimStart() };
}

function list(lines, at, out, depth) {
  const first = item(lines[at]);
  const root = document.createElement(first.ordered ? "ol" : "ul");
  if (first.ordered) root.start = parseInt(first.marker, 10);
  for (let found = first; found?.indent === first.indent && found.ordered === first.ordered; ) {
    const inner = [found.text];
    at += 1;
    while (at < lines.length && isInside(lines, at, first.indent)) inner.push(lines[at++].slice(first.indent + 2));
    root.append(listItem(blocks(inner, depth + 1)));
    found = at < lines.length ? item(lines[at]) : null;
  }
  out.append(root);
  return at;
}

/** In a tight list, an item contains its text directly, without a paragraph. */
function listItem(body) {
  const root = document.createElement("li");
  const first = body.firstChild;
  if (first?.nodeName === "P") {
    while (first.firstChild) root.append(first.firstChild);
    first.remove();
  }
  root.append(body);
  return root;
}

function isInside(lines, at, indent) {
  const line = lines[at];
  if (line.trim() === "") return at + 1 < lines.length && /^\s/.test(lines[at + 1]);
  return line.length - line.trimStart().length >= indent + 2;
}

function isTable(lines, at) {
  if (!lines[at].includes("|") || at + 1 >= lines.length || !lines[at + 1].includes("-")) return false;
  const cells = lines[at + 1].trim().replace(/^\|/, "").replace(/\|$/, "").split("|");
  return cells.every((cell) => /^:?-+:?$/.test(cell.trim()));
}

function table(lines, at, out) {
  const root = document.createElement("table");
  root.append(element("thead", row(lines[at], "th")));
  const body = document.createElement("tbody");
  for (at += 2; at < lines.length && lines[at].includes("|"); at++) body.append(row(lines[at], "td"));
  root.append(body);
  const frame = element("div", root);
  frame.className = "table";
  out.append(frame);
  return at;
}

function row(line, kind) {
  const cells = line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/);
  const root = document.createElement("tr");
  for (const cell of cells) root.append(element(kind, inline(cell.trim().replaceAll("\\|", "|"))));
  return root;
}

function paragraph(lines, at, out) {
  const start = at;
  do at += 1;
  while (at < lines.length && lines[at].trim() !== "" && !ENDS_PARAGRAPH.test(lines[at]) && !item(lines[at]) && !isTable(lines, at));
  out.append(element("p", inline(lines.slice(start, at).join("\n"))));
  return at;
}

// --- inline ------------------------------------------------------------------------------

const OPENER = /[`*_~[]|https?:\/\//g;
const BARE = /https?:\/\/[^\s<>"')\]]+/y;
// Longer delimiters first. A span cannot contain its own delimiter, so nesting ends.
const SPANS = [["**", "strong"], ["__", "strong"], ["~~", "del"], ["*", "em"], ["_", "em"]];

function inline(text) {
  const out = document.createDocumentFragment();
  const finder = new Finder(text);
  let done = 0;
  let at = 0;
  while ((at = finder.opener(at)) >= 0) {
    const found = span(text, at, finder);
    if (!found) {
      at += 1;
      while (text[at - 1] === "`" && text[at] === "`") at += 1; // a run of backticks is one delimiter
      continue;
    }
    out.append(text.slice(done, at), found.node);
    done = at = found.end;
  }
  out.append(text.slice(done));
  return out;
}

/** Searches a text from left to right and caches: no part is searched twice for the same text. */
class Finder {
  #text;
  #found = new Map();

  constructor(text) {
    this.#text = text;
  }

  /** The position of the next delimiter, or -1. */
  opener(from) {
    OPENER.lastIndex = from;
    return OPENER.exec(this.#text)?.index ?? -1;
  }

  /** The next position of `what` at or after `from`, or -1. */
  next(what, from) {
    const held = this.#found.get(what);
    if (held !== undefined && (held === -1 || held >= from)) return held;
    const found = this.#text.indexOf(what, from);
    this.#found.set(what, found);
    return found;
  }
}

function span(text, at, finder) {
  if (text[at] === "`") return code(text, at, finder);
  if (text[at] === "[") return labelled(text, at, finder);
  if (text[at] === "h") return bare(text, at);
  for (const [mark, name] of SPANS) {
    if (!text.startsWith(mark, at)) continue;
    const start = at + mark.length;
    // A single mark ends at the next one or not at all; a double one must have content.
    const end = finder.next(mark, start + (mark.length - 1));
    if (end > start && (mark.length > 1 || isEmphasis(text, at, end))) {
      return { node: element(name, inline(text.slice(start, end))), end: end + mark.length };
    }
  }
  return null;
}

/** Single marks are at word boundaries; an underscore inside a word is part of the word. */
function isEmphasis(text, at, end) {
  if (/\s/.test(text[at + 1])) return false;
  return text[at] === "*" || !(/\w/.test(text[at - 1] ?? "") || /\w/.test(text[end + 1] ?? ""));
}

function code(text, at, finder) {
  let start = at;
  while (text[start] === "`") start += 1;
  if (start - at > MAX_TICKS) return null;
  const end = finder.next(text.slice(at, start), start + 1);
  return end < 0 ? null : { node: element("code", text.slice(start, end)), end: end + start - at };
}

function labelled(text, at, finder) {
  const close = finder.next("]", at + 1);
  if (close < 0 || text[close + 1] !== "(") return null;
  const inner = finder.next("[", at + 1);
  if (inner >= 0 && inner < close) return null; // the innermost bracket starts the label
  const end = finder.next(")", close + 2);
  if (end < 0) return null;
  const target = text.slice(close + 2, end);
  if (!/^[^()\s]+$/.test(target)) return null;
  const whole = text.slice(at, end + 1);
  return { node: SAFE_LINK.test(target) ? link(text.slice(at + 1, close), target) : document.createTextNode(whole), end: end + 1 };
}

function bare(text, at) {
  BARE.lastIndex = at;
  const target = BARE.exec(text)?.[0];
  return target ? { node: link(target, target), end: at + target.length } : null;
}

function link(label, target) {
  const node = element("a", label);
  node.href = target;
  node.rel = "noopener noreferrer";
  node.target = "_blank";
  return node;
}

function element(name, content) {
  const node = document.createElement(name);
  node.append(content);
  return node;
}
