// Markdown to DOM nodes. Text only ever becomes text: there is no innerHTML here, so nothing a
// model writes can be markup, and links lead only where a click may safely go.

const SAFE_LINK = /^(https?:|mailto:)/i;
const INLINE =
  /(`+)([\s\S]+?)\1|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|\*([^*\s][^*]*)\*|(?<![\w])_([^_\s][^_]*)_(?![\w])|~~([\s\S]+?)~~|\[([^\]]*)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>"')\]]+)/;

/** Renders markdown into a fragment. Half-arrived constructs come out as what they are so far. */
export function render(source) {
  const out = document.createDocumentFragment();
  const lines = source.replace(/\r\n?/g, "\n").split("\n");
  let at = 0;
  while (at < lines.length) at = block(lines, at, out);
  return out;
}

function block(lines, at, out) {
  const line = lines[at];
  let match;
  if (line.trim() === "") return at + 1;
  if ((match = line.match(/^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)/))) return fence(lines, at, match, out);
  if ((match = line.match(/^(#{1,6})\s+(.*?)\s*#*$/))) {
    out.append(element(`h${Math.min(6, match[1].length + 1)}`, inline(match[2])));
    return at + 1;
  }
  if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
    out.append(document.createElement("hr"));
    return at + 1;
  }
  if (/^\s{0,3}>/.test(line)) return quote(lines, at, out);
  if (isTable(lines, at)) return table(lines, at, out);
  if (ITEM.test(line)) return list(lines, at, out);
  return paragraph(lines, at, out);
}

function fence(lines, at, match, out) {
  const end = lines.findIndex((line, n) => n > at && line.trim().startsWith(match[1]));
  const text = lines.slice(at + 1, end < 0 ? lines.length : end).join("\n");
  const code = element("code", text);
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
  figure.append(element("pre", code));
  out.append(figure);
  return end < 0 ? lines.length : end + 1;
}

function quote(lines, at, out) {
  const inner = [];
  while (at < lines.length && /^\s{0,3}>/.test(lines[at])) inner.push(lines[at++].replace(/^\s{0,3}>\s?/, ""));
  out.append(element("blockquote", render(inner.join("\n"))));
  return at;
}

const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;

function list(lines, at, out) {
  const [, indent, marker] = lines[at].match(ITEM);
  const ordered = /\d/.test(marker);
  const root = document.createElement(ordered ? "ol" : "ul");
  if (ordered) root.start = parseInt(marker, 10);
  while (at < lines.length) {
    const match = lines[at].match(ITEM);
    if (!match || match[1].length !== indent.length || /\d/.test(match[2]) !== ordered) break;
    const inner = [match[3]];
    at += 1;
    while (at < lines.length && isInside(lines, at, indent.length)) inner.push(lines[at++].slice(indent.length + 2));
    const item = document.createElement("li");
    const body = render(inner.join("\n"));
    // A tight item holds its text itself, not a paragraph of it.
    if (body.firstChild?.nodeName === "P") item.append(...body.firstChild.childNodes, ...[...body.childNodes].slice(1));
    else item.append(body);
    root.append(item);
  }
  out.append(root);
  return at;
}

function isInside(lines, at, indent) {
  const line = lines[at];
  if (line.trim() === "") return at + 1 < lines.length && /^\s/.test(lines[at + 1]);
  return line.search(/\S/) >= indent + 2;
}

function isTable(lines, at) {
  return lines[at].includes("|") && at + 1 < lines.length && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[at + 1]) && lines[at + 1].includes("-");
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
  while (at < lines.length && lines[at].trim() !== "" && !/^\s{0,3}(```|~~~|#{1,6}\s|>)/.test(lines[at]) && !ITEM.test(lines[at]) && !isTable(lines, at));
  out.append(element("p", inline(lines.slice(start, at).join("\n"))));
  return at;
}

function inline(text) {
  const out = document.createDocumentFragment();
  for (;;) {
    const match = text.match(INLINE);
    if (!match) break;
    out.append(text.slice(0, match.index), span(match));
    text = text.slice(match.index + match[0].length);
  }
  out.append(text);
  return out;
}

function span([whole, ticks, code, strong, strong2, em, em2, del, label, href, bare]) {
  if (ticks) return element("code", code);
  if (strong ?? strong2) return element("strong", inline(strong ?? strong2));
  if (em ?? em2) return element("em", inline(em ?? em2));
  if (del) return element("del", inline(del));
  const target = href ?? bare;
  if (!SAFE_LINK.test(target)) return document.createTextNode(whole);
  const link = element("a", label ?? bare);
  link.href = target;
  link.rel = "noopener noreferrer";
  link.target = "_blank";
  return link;
}

function element(name, content) {
  const node = document.createElement(name);
  node.append(content);
  return node;
}
