// From markdown-it's tokens to a tree of plain objects, of which the DOM is made.
//
// Only what is written here becomes an element or an attribute: nothing of the source does.

/** Levels of elements in one block; deeper ones are left out, with their text kept. */
const MAX_DEPTH = 40;

/**
 * Returns the top-level blocks: `{node, line}`.
 * A node is a string or `{tag, attrs, children}`; code and math are `{widget, …}`.
 */
export function blocksOf(tokens) {
  const builder = new Builder();
  const blocks = [];
  let line = 0;
  for (const token of tokens) {
    if (token.level === 0 && token.nesting >= 0) line = token.map?.[0] ?? line;
    builder.add(token);
    for (const node of builder.takeDone()) blocks.push({ node, line });
  }
  for (const node of builder.takeRest()) blocks.push({ node, line });
  return blocks;
}

class Builder {
  #root = { children: [] };
  #open = [this.#root];
  #left = 0; // elements that are open, but left out, since they are too deep

  /** The finished top-level nodes since the last call. */
  takeDone() {
    return this.#open.length === 1 ? this.#root.children.splice(0) : [];
  }

  takeRest() {
    return this.#root.children.splice(0);
  }

  add(token) {
    if (token.hidden) return;
    if (token.type === "inline") return this.#inline(token);
    if (token.nesting > 0) this.#enter(OPEN[token.type]?.(token) ?? element(token.tag));
    else if (token.nesting < 0) this.#leave();
    else this.#append(LEAF[token.type]?.(token) ?? token.content);
  }

  #inline(token) {
    const children = token.children ?? [];
    const task = this.#task(children);
    if (task !== null) this.#append(task);
    for (const child of children) this.add(child);
  }

  /** A task's box, if these are the contents of a list item that begin with one. */
  #task(children) {
    const inside = this.#open.at(-1).tag === "p" ? this.#open.at(-2) : this.#open.at(-1);
    const first = children[0];
    if (inside?.tag !== "li" || inside.children.length > 1 || first?.type !== "text") return null;
    const found = /^\[([ xX])\] /.exec(first.content);
    if (!found) return null;
    first.content = first.content.slice(4);
    const isDone = found[1] !== " ";
    inside.attrs.class = "task";
    return element("span", { class: isDone ? "box done" : "box", role: "img", "aria-label": isDone ? "Done:" : "To do:" });
  }

  #enter(nodes) {
    if (this.#open.length >= MAX_DEPTH) {
      this.#left += 1;
      return;
    }
    // The direction of a list or quote is that of its text: `dir` on what is inside would hide that.
    if (nodes.tag === "p" && INSIDE.has(this.#open.at(-1).tag)) delete nodes.attrs.dir;
    this.#append(nodes);
    while (nodes.inner) nodes = nodes.inner;
    this.#open.push(nodes);
  }

  #leave() {
    if (this.#left) this.#left -= 1;
    else if (this.#open.length > 1) this.#open.pop();
  }

  #append(node) {
    const siblings = this.#open.at(-1).children;
    const last = siblings.length - 1;
    if (typeof node !== "string") siblings.push(node);
    else if (typeof siblings[last] === "string") siblings[last] += node;
    else if (node) siblings.push(node);
  }
}

const INSIDE = new Set(["li", "blockquote"]);

function element(tag, attrs = {}, ...children) {
  return { tag, attrs, children };
}

/** A region that scrolls sideways, which a keyboard must be able to reach. */
function scroller(label, inner) {
  const node = element("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label }, inner);
  node.inner = inner;
  return node;
}

function link(href) {
  return element("a", { href, rel: "noopener noreferrer", target: "_blank", dir: "auto" });
}

const auto = (token) => element(token.tag, { dir: "auto" });
const ALIGNED = { "text-align:left": "left", "text-align:center": "center", "text-align:right": "right" };

function cell(token) {
  const align = ALIGNED[token.attrGet("style")];
  const scope = token.tag === "th" ? { scope: "col" } : {};
  return element(token.tag, { ...scope, ...(align ? { class: align } : {}) });
}

// Elements with contents, by the type of the token that opens them.
const OPEN = {
  paragraph_open: auto,
  blockquote_open: auto,
  heading_open: (token) => element(`h${Math.min(6, Number(token.tag[1]) + 1)}`, { dir: "auto" }),
  bullet_list_open: () => element("ul", { dir: "auto" }),
  ordered_list_open: (token) => element("ol", { dir: "auto", ...(token.attrGet("start") !== null ? { start: String(token.attrGet("start")) } : {}) }),
  table_open: () => scroller("Table", element("table", { dir: "auto" })),
  th_open: cell,
  td_open: cell,
  link_open: (token) => link(token.attrGet("href")),
};

function code(token) {
  const language = /^[\w+#.-]{1,40}/.exec(token.info?.trim() ?? "")?.[0] ?? "";
  return { widget: "code", text: token.content.replace(/\n$/, ""), language };
}

// Elements without contents of their own. The others are their text.
const LEAF = {
  fence: code,
  code_block: code,
  code_inline: (token) => element("code", {}, token.content),
  math_inline: (token) => ({ widget: "math", text: token.content, display: token.meta.display }),
  math_block: (token) => ({ widget: "math", text: token.content, display: true }),
  hr: () => element("hr"),
  hardbreak: () => element("br"),
  softbreak: () => "\n",
  plain: (token) => element("p", { dir: "auto", class: "plain" }, token.content),
  // An image would be a request to a place that the model chose: a link is followed by hand.
  image: (token) => {
    const node = link(token.attrGet("src"));
    node.children.push(`🖼 ${token.content || "image"}`);
    return node;
  },
};
