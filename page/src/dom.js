// Small helpers for the DOM.

export const $ = (id) => document.getElementById(id);

/** Makes an element. Keys that begin with `on` are listeners, `class` and the rest attributes. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function button(label, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, label);
}

let clearing = 0;

/** Shows a sentence for some seconds; screen readers hear it. */
export function notice(text) {
  clearTimeout(clearing);
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearing = setTimeout(() => ($("notice").hidden = true), 6000);
}
