// A chat as a file.

import { dataUrl } from "./files.js";
import { path } from "./tree.js";

/** Downloads a chat as `md`, what is shown of it, or as `json`, all of it. */
export async function download(chat, format) {
  const text = format === "json" ? JSON.stringify(await plain(chat), null, 2) : markdown(chat);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: format === "json" ? "application/json" : "text/markdown" }));
  link.download = `${fileName(chat.title)}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const fileName = (title) => title.split(/[\s/\\:*?"'<>|.…-]/).filter(Boolean).join("-").slice(0, 60) || "chat";

export function markdown(chat) {
  return [`# ${chat.title}`, ...path(chat).map(turnText)].join("\n\n") + "\n";
}

function turnText({ role, text, files = [], calls = [], results = [] }) {
  const head = { user: "## You", assistant: "## Answer", tool: "## Results of tools" }[role];
  const parts = [head, ...files.map(({ name }) => `(File: ${name})`), text ?? ""];
  for (const call of calls) parts.push(`Tool call: \`${call.name}\` \`${call.arguments}\``);
  for (const result of results) parts.push(`\`${result.name}\`: ${result.text}`);
  return parts.filter(Boolean).join("\n\n");
}

/** A chat whose files are texts. */
async function plain(chat) {
  const nodes = {};
  for (const [id, node] of Object.entries(chat.nodes)) {
    const files = await Promise.all((node.files ?? []).map(async ({ blob, ...file }) => (blob ? { ...file, url: await dataUrl(blob, file.type) } : file)));
    nodes[id] = files.length ? { ...node, files } : node;
  }
  return { ...chat, nodes };
}
