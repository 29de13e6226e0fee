// As much of a DOM as markdown.js builds: nodes that hold nodes, and text.

export class Node {
  constructor(nodeName) {
    this.nodeName = nodeName.toUpperCase();
    this.childNodes = [];
    this.parent = null;
  }

  get firstChild() {
    return this.childNodes[0];
  }

  append(...nodes) {
    for (const each of nodes) {
      if (each === "") continue;
      const node = typeof each === "string" ? new Text(each) : each;
      if (node.nodeName === "#FRAGMENT") {
        for (const inner of node.childNodes.splice(0)) this.append(inner);
        continue;
      }
      node.remove();
      node.parent = this;
      this.childNodes.push(node);
    }
  }

  remove() {
    if (!this.parent) return;
    const siblings = this.parent.childNodes;
    siblings.splice(siblings.indexOf(this), 1);
    this.parent = null;
  }

  addEventListener() {}

  get textContent() {
    return this.childNodes.map((node) => node.textContent).join("");
  }

  get depth() {
    return 1 + this.childNodes.reduce((most, node) => Math.max(most, node.depth), 0);
  }

  /** The tree as HTML would show it, attributes but `href` left out. */
  get html() {
    const inner = this.childNodes.map((node) => node.html).join("");
    if (this.nodeName === "#FRAGMENT") return inner;
    const name = this.nodeName.toLowerCase();
    return `<${name}${this.href ? ` href=${this.href}` : ""}>${inner}</${name}>`;
  }
}

class Text extends Node {
  constructor(text) {
    super("#text");
    this.textContent_ = text;
  }

  get textContent() {
    return this.textContent_;
  }

  get html() {
    return this.textContent_;
  }
}

export const document = {
  createDocumentFragment: () => new Node("#fragment"),
  createElement: (name) => new Node(name),
  createTextNode: (text) => new Text(text),
};
