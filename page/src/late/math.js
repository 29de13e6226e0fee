// /math.js: TeX to MathML. Loaded when an answer has a formula.

import temml from "temml";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set(
  ("math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub " +
    "msubsup msup mtable mtd mtext mtr munder munderover none").split(" "),
);
const ATTRIBUTES = new Set(
  ("accent accentunder columnspan depth display displaystyle fence form height largeop linethickness lspace mathvariant " +
    "maxsize minsize movablelimits notation rspace rowspan scriptlevel separator stretchy symmetric voffset width").split(" "),
);
const STYLES = new Set(
  ("border borderBottom borderLeft borderRight borderTop color display math-depth mathDepth padding paddingBottom " +
    "paddingLeft paddingRight paddingTop textAlign verticalAlign whiteSpace width").split(" "),
);
const HARMLESS = /^[#\w.% -]{0,60}$/;
const CLASS = /^(tml-|men|math|ff-|wbk-)/;
/** Levels and nodes of a formula. */
const MAX_DEPTH = 100;
const MAX_NODES = 5000;

/** Returns the formula as MathML; null if it is not valid TeX, or too large. */
export function formula(tex, display) {
  try {
    const options = { displayMode: display, throwOnError: true, maxExpand: 200, maxSize: [20, 200], trust: false, strict: false };
    return copy(temml.__renderToMathMLTree(tex, options), { left: MAX_NODES }, 0);
  } catch {
    return null;
  }
}

/** A node of temml's tree as a DOM node: only what is listed above. */
function copy(node, budget, depth) {
  if ((budget.left -= 1) < 0 || depth > MAX_DEPTH) throw new RangeError("The formula is too large.");
  if (typeof node.text === "string") return document.createTextNode(node.text);
  const made = ELEMENTS.has(node.type) ? dressed(node) : document.createDocumentFragment();
  for (const child of node.children ?? []) made.append(copy(child, budget, depth + 1));
  return made;
}

function dressed(node) {
  const made = document.createElementNS(MATHML, node.type);
  for (const [name, value] of Object.entries(node.attributes)) {
    if (ATTRIBUTES.has(name) && HARMLESS.test(value)) made.setAttribute(name, value);
  }
  const classes = node.classes.filter((name) => CLASS.test(name));
  if (classes.length) made.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(node.style)) {
    if (STYLES.has(name) && HARMLESS.test(value)) made.style[name] = value;
  }
  return made;
}
