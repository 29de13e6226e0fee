// A chat: a tree of turns. An edited message and a new answer are siblings of the one before, so
// that nothing is lost; the path from the root to the leaf is what is shown and sent.

export function newChat(id = crypto.getRandomValues(new Uint32Array(3)).join("-")) {
  return { id, title: "", created: Date.now(), updated: Date.now(), model: "", settings: {}, nodes: {}, leaf: null, next: 1 };
}

/** Adds a turn after `parent` (the last turn shown, by default), and shows it. */
export function add(chat, turn, parent = chat.leaf) {
  const node = { id: String(chat.next), parent, ...turn };
  chat.next += 1;
  chat.nodes[node.id] = node;
  chat.leaf = node.id;
  if (!chat.title && node.role === "user") chat.title = titleOf(node);
  return node;
}

/** The turns from the first to this one (the leaf, by default). */
export function path(chat, leaf = chat.leaf) {
  const found = [];
  for (let node = chat.nodes[leaf]; node; node = chat.nodes[node.parent]) found.push(node);
  return found.reverse();
}

/** The turns in the place of this one, in order: itself among them. */
export function versions(chat, node) {
  return Object.values(chat.nodes).filter(({ parent, role }) => parent === node.parent && role === node.role);
}

/** Shows a version, with the latest turns after it. */
export function select(chat, node) {
  let leaf = node;
  for (let next = node; next; next = latestAfter(chat, next)) leaf = next;
  chat.leaf = leaf.id;
}

function latestAfter(chat, node) {
  return Object.values(chat.nodes).findLast(({ parent }) => parent === node.id);
}

const MAX_TITLE = 60;

function titleOf({ text, files }) {
  const line = text.trim().split("\n")[0] || files?.[0]?.name || "Chat";
  return line.length > MAX_TITLE ? `${line.slice(0, MAX_TITLE).trimEnd()}…` : line;
}
