// Makes DOM nodes of a tree, and changes them to those of another tree, in place.
//
// What is equal is not touched, and a text that grows is appended to: a selection, a focus, and a
// button under a finger survive the next token.

import { changeWidget, createWidget } from "./widgets.js";

/** Returns the DOM node of a node of `tree.js`. */
export function create(node) {
  if (typeof node === "string") return document.createTextNode(node);
  if (node.widget) return createWidget(node);
  const made = document.createElement(node.tag);
  for (const [name, value] of Object.entries(node.attrs)) made.setAttribute(name, value);
  made.append(...node.children.map(create));
  return made;
}

/** Changes `children` of `parent`, from the child `at` on, which were made from `old`, to `next`. */
export function patchChildren(parent, old, next, at = 0) {
  for (const [n, node] of next.entries()) {
    const shown = parent.childNodes[at + n];
    if (n >= old.length) parent.append(create(node));
    else if (!patch(shown, old[n], node)) shown.replaceWith(create(node));
  }
  for (let extra = old.length - next.length; extra > 0; extra -= 1) parent.lastChild.remove();
}

/** Changes one node; returns false if it must be replaced. */
function patch(shown, old, next) {
  if (typeof old === "string" || typeof next === "string") return patchText(shown, old, next);
  if (old.widget || next.widget) return old.widget === next.widget && changeWidget(shown, old, next);
  if (old.tag !== next.tag) return false;
  for (const name of Object.keys(old.attrs)) if (!(name in next.attrs)) shown.removeAttribute(name);
  for (const [name, value] of Object.entries(next.attrs)) {
    if (old.attrs[name] !== value) shown.setAttribute(name, value);
  }
  patchChildren(shown, old.children, next.children);
  return true;
}

function patchText(shown, old, next) {
  if (typeof old !== typeof next) return false;
  growText(shown, old, next);
  return true;
}

/** Changes a text node; what only grows keeps its selection. */
export function growText(shown, old, next) {
  if (old === next) return;
  if (next.startsWith(old)) shown.appendData(next.slice(old.length));
  else shown.data = next;
}
