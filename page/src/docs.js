// The API reference, from /openapi.json, with a form to send each request.

import { throughCloudFront } from "/tokenwire.js";
import { copyCodeIn } from "./copy.js";
import { $, element } from "./dom.js";
import { render } from "/markdown.js";
import { headers } from "./session.js";
import { tryForm } from "./try.js";

const response = await fetch("/openapi.json", { headers: headers() });
const api = response.ok ? await response.json() : { paths: {} };

function curl(method, path, operation) {
  const example = operation.requestBody?.content["application/json"]?.example;
  const required = (operation.parameters ?? []).filter((p) => p.in === "query" && p.name === "prompt");
  const query = required.map((p) => `?${p.name}=Hello`).join("");
  const lines = [`curl -N '${location.origin}${path.replace("{stream_id}", "st_…")}${query}'`];
  if (method === "post") lines[0] = lines[0].replace("curl -N", "curl -N -X POST");
  if (example) lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(example)}'`);
  return "```sh\n" + lines.join(" \\\n  ") + "\n```";
}

function parameters(operation) {
  const body = operation.requestBody?.content["application/json"]?.schema;
  const fields = Object.entries(body?.properties ?? {}).map(([name, schema]) => [
    name, "body", schema.type ?? "any", (body.required ?? []).includes(name), schema.description ?? "",
  ]);
  const others = (operation.parameters ?? []).map((p) => [p.name, p.in, p.schema?.type ?? "any", p.required, p.description ?? ""]);
  const rows = [...others, ...fields];
  if (!rows.length) return "";
  const line = ([name, where, type, required, text]) => `| \`${name}\`${required ? " *" : ""} | ${where} | ${type} | ${text.replaceAll("|", "\\|").replaceAll("\n", " ")} |`;
  return ["| Field | In | Type | Meaning |", "| --- | --- | --- | --- |", ...rows.map(line)].join("\n");
}

const byTag = new Map();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const tag = operation.tags?.[0] ?? "Other";
    byTag.set(tag, [...(byTag.get(tag) ?? []), [path, method, operation]]);
  }
}
const out = [];
for (const [tag, routes] of byTag) {
  out.push(element("h2", { class: "tag" }, tag));
  for (const [path, method, operation] of routes) {
    const head = element("h3", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path), operation.summary ?? "");
    const text = [operation.description ?? "", parameters(operation), curl(method, path, operation)].join("\n\n");
    out.push(element("section", { class: "body" }, head, render(text), tryForm(method, path, operation, throughCloudFront())));
  }
}
if (!response.ok) out.push("This server requires a key. Open the chat page in this tab and enter one there first.");
$("routes").replaceChildren(...out);
copyCodeIn($("routes"));
