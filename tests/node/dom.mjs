// As much of a DOM as the page's markdown uses: nodes that hold nodes, text and attributes.

export class Node {
  constructor(nodeName) {
    this.nodeName = nodeName.toUpperCase();
    this.nodeType = nodeName === "#text" ? 3 : 1;
    this.childNodes = [];
    this.attributes = new Map();
    this.style = {};
    this.parent = null;
  }

  get firstChild() {
    return this.childNodes[0];
  }

  get lastChild() {
    return this.childNodes.at(-1);
  }

  get className() {
    return this.attributes.get("class") ?? "";
  }

  set className(value) {
    this.attributes.set("class", value);
  }

  setAttribute(name, value) {
    changes.count += 1;
    this.attributes.set(name, String(value));
  }

  removeAttribute(name) {
    changes.count += 1;
    this.attributes.delete(name);
  }

  append(...nodes) {
    for (const each of nodes) {
      if (each === "") continue;
      const node = typeof each === "string" ? new Text(each) : each;
      if (node.nodeName === "#FRAGMENT") {
        for (const inner of node.childNodes.splice(0)) this.append(inner);
        continue;
      }
      changes.count += 1;
      node.parent?.childNodes.splice(node.parent.childNodes.indexOf(node), 1);
      node.parent = this;
      this.childNodes.push(node);
    }
  }

  remove() {
    changes.count += 1;
    if (!this.parent) return;
    const siblings = this.parent.childNodes;
    if (siblings.at(-1) === this) siblings.pop();
    else siblings.splice(siblings.indexOf(this), 1);
    this.parent = null;
  }

  replaceWith(node) {
    changes.count += 1;
    const siblings = this.parent.childNodes;
    siblings[siblings.indexOf(this)] = node;
    node.parent = this.parent;
    this.parent = null;
  }

  replaceChildren(...nodes) {
    for (const child of this.childNodes.splice(0)) child.parent = null;
    this.append(...nodes);
  }

  /** Finds by `name`, `.class`, `name.class`; `:scope >` looks at the children alone. */
  querySelectorAll(selector) {
    const [, own, name, className] = /^(:scope > )?([a-z]*)(?:\.([\w-]+))?$/.exec(selector);
    const found = [];
    const isFound = (node) =>
      (!name || node.nodeName === name.toUpperCase()) && (!className || node.className.split(" ").includes(className));
    const look = (node) => {
      for (const child of node.childNodes) {
        if (child.nodeType === 1 && isFound(child)) found.push(child);
        if (!own) look(child);
      }
    };
    look(this);
    return found;
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  get textContent() {
    return this.childNodes.map((node) => node.textContent).join("");
  }

  get depth() {
    return 1 + this.childNodes.reduce((most, node) => Math.max(most, node.depth), 0);
  }

  /** The tree as HTML, with the attributes that have a meaning beyond looks and access. */
  get html() {
    const inner = this.childNodes.map((node) => node.html).join("");
    if (this.nodeName === "#FRAGMENT") return inner;
    const name = this.nodeName.toLowerCase();
    const shown = ["href", "class", "start"].filter((key) => this.attributes.has(key)).map((key) => ` ${key}=${this.attributes.get(key)}`);
    return `<${name}${shown.join("")}>${inner}</${name}>`;
  }
}

class Text extends Node {
  constructor(text) {
    super("#text");
    this.text = text;
  }

  get data() {
    return this.text;
  }

  set data(value) {
    changes.count += 1;
    this.text = value;
  }

  appendData(more) {
    this.data = this.text + more;
  }

  get textContent() {
    return this.text;
  }

  get html() {
    return this.text;
  }
}

/** How often a node was changed. */
export const changes = { count: 0 };

export const document = {
  createDocumentFragment: () => new Node("#fragment"),
  createElement: (name) => new Node(name),
  createElementNS: (_, name) => new Node(name),
  createTextNode: (text) => new Text(text),
  getSelection: () => null,
};
