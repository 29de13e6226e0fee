// A form that sends one request of the API reference, and shows the answer as it comes.

import { element } from "./dom.js";
import { headers } from "./session.js";

/** Characters of an answer that are shown. */
const MAX_SHOWN = 200_000;

/** The form of a route, folded until it is wanted. */
export function tryForm(method, path, operation, cloudfront) {
  const fields = (operation.parameters ?? []).map(({ name, in: where, required }) => ({ name, where, input: input(name, required) }));
  const example = operation.requestBody?.content["application/json"]?.example;
  const body = operation.requestBody ? element("textarea", { rows: "6", spellcheck: "false", class: "mono" }) : null;
  if (body) body.value = JSON.stringify(example ?? {}, null, 2);
  const shown = element("pre", { class: "answer", tabindex: "0", role: "region", "aria-label": "Response", hidden: true, dir: "ltr" });
  const stop = element("button", { type: "button", hidden: true }, "Stop");
  const onsubmit = (event) => {
    event.preventDefault();
    send({ method, path, fields, body: body?.value, cloudfront, shown, stop });
  };
  const labels = fields.map(({ name, where, input: field }) => element("label", {}, `${name} (${where})`, field));
  return element("details", { class: "try" }, element("summary", {}, "Send a request"),
    element("form", { onsubmit }, ...labels, body ? element("label", {}, "Body", body) : null,
      element("div", { class: "buttons" }, element("button", { type: "submit", class: "main" }, "Send"), stop)), shown);
}

function input(name, required) {
  return element("input", { name, required, autocomplete: "off", value: name === "prompt" ? "Hello" : null });
}

/** The address: values are encoded, so that none can name another route. */
function urlOf(path, fields) {
  const given = (where) => fields.filter((field) => field.where === where && field.input.value);
  let filled = path;
  for (const { name, input: field } of given("path")) {
    // A URL has these resolved even if they are encoded.
    if (field.value === "." || field.value === "..") throw new Error(`${name} cannot be ${field.value}`);
    filled = filled.replace(`{${name}}`, () => encodeURIComponent(field.value));
  }
  const query = new URLSearchParams(given("query").map(({ name, input: field }) => [name, field.value]));
  return query.size ? `${filled}?${query}` : filled;
}

async function send({ method, path, fields, body, cloudfront, shown, stop }) {
  const controller = new AbortController();
  stop.hidden = shown.hidden = false;
  stop.onclick = () => controller.abort();
  shown.textContent = "";
  const text = shown.appendChild(document.createTextNode(""));
  try {
    const options = { method: method.toUpperCase(), headers: await headersOf(method, fields, body, cloudfront), body, signal: controller.signal };
    await show(await fetch(urlOf(path, fields), options), text);
  } catch (error) {
    text.appendData(controller.signal.aborted ? "\n(stopped)" : `\n${error.message}`);
  }
  stop.hidden = true;
}

async function headersOf(method, fields, body, cloudfront) {
  const found = headers(method.toUpperCase());
  for (const { name, where, input: field } of fields) if (where === "header" && field.value) found[name] = field.value;
  if (body === undefined) return found;
  found["content-type"] = "application/json";
  if (cloudfront) found["x-amz-content-sha256"] = await sha256(body);
  return found;
}

async function sha256(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function show(response, text) {
  text.appendData(`HTTP ${response.status}\ncontent-type: ${response.headers.get("content-type")}\n\n`);
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text.appendData(value.slice(0, Math.max(0, MAX_SHOWN - text.length)));
  }
}
