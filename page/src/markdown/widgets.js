// Blocks of code and formulas: elements whose contents are made by a module that is loaded late.

import { growText } from "./patch.js";

/** Characters of code that are coloured. */
const MAX_COLOURED = 50_000;

// The browser keeps modules. One that cannot be loaded leaves the source as it is.
const late = {
  highlight: () => import("/highlight.js").catch(() => ({ highlight: () => null })),
  math: () => import("/math.js").catch(() => ({ formula: () => null })),
};

export function createWidget(node) {
  return node.widget === "code" ? createCode(node) : createMath(node);
}

/** Changes a widget; returns false if it must be replaced. */
export function changeWidget(shown, old, next) {
  if (next.widget === "code") return changeCode(shown, old, next);
  return old.text === next.text && old.display === next.display;
}

function createCode({ text, language }) {
  const figure = document.createElement("figure");
  figure.className = "code";
  const caption = document.createElement("figcaption");
  const name = document.createElement("span");
  name.append(language || "text");
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy";
  copy.append("Copy");
  caption.append(name, copy);
  const pre = document.createElement("pre");
  for (const [key, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": "Code", dir: "ltr" })) pre.setAttribute(key, value);
  const code = document.createElement("code");
  code.append(document.createTextNode(text));
  pre.append(code);
  figure.append(caption, pre);
  return figure;
}

function changeCode(figure, old, next) {
  if (old.language !== next.language) return false;
  if (old.text === next.text) return true;
  const code = figure.querySelector("code");
  if (code.childNodes.length !== 1 || code.firstChild.nodeType !== 3) return false; // coloured
  growText(code.firstChild, old.text, next.text);
  return true;
}

/** Colours the code of a block that will not change any more, unless some of it is selected. */
export async function colour(figure, { text, language }) {
  if (!language || text.length > MAX_COLOURED) return;
  const { highlight } = await late.highlight();
  const code = figure.querySelector("code");
  const selection = document.getSelection();
  if (!code || code.textContent !== text || (selection && !selection.isCollapsed && selection.containsNode(code, true))) return;
  const coloured = highlight(language, text);
  if (coloured) code.replaceChildren(coloured);
}

function createMath({ text, display }) {
  const shown = document.createElement("span");
  shown.className = display ? "math display" : "math";
  if (display) for (const [key, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": "Formula" })) shown.setAttribute(key, value);
  const source = document.createElement("code");
  source.append(document.createTextNode(text));
  shown.append(source);
  late.math().then(({ formula }) => {
    const made = formula(text, display);
    if (made) shown.replaceChildren(made);
  });
  return shown;
}
