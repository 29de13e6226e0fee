// The chats of this browser, in IndexedDB; without it, in memory, and gone with the page.

const NAME = "tokenwire";
/** Chats that are kept. The one that was changed first makes room. */
export const MAX_CHATS = 500;

/** Opens the store: `{isKept, list, load, save, remove, clear, search}`. */
export async function openStore() {
  try {
    return new Kept(await open());
  } catch {
    return new Memory();
  }
}

function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    for (const name of ["heads", "chats"]) request.result.createObjectStore(name, { keyPath: "id" });
  };
  return done(request);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

const headOf = ({ id, title, updated }) => ({ id, title, updated });
const newestFirst = (heads) => heads.sort((one, other) => other.updated - one.updated);

/** Whether a chat has all words of a query, in its title and its turns. */
export function matches(chat, query) {
  const text = [chat.title, ...Object.values(chat.nodes).map((node) => node.text)].join("\n").toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

class Kept {
  isKept = true;
  #db;

  constructor(db) {
    this.#db = db;
    // Another tab has a newer version of the page.
    db.onversionchange = () => db.close();
  }

  async list() {
    return newestFirst(await done(this.#db.transaction("heads").objectStore("heads").getAll()));
  }

  load(id) {
    return done(this.#db.transaction("chats").objectStore("chats").get(id));
  }

  /** Saves a chat as it is at this moment. */
  async save(chat) {
    const transaction = this.#db.transaction(["heads", "chats"], "readwrite");
    transaction.objectStore("chats").put(chat);
    transaction.objectStore("heads").put(headOf(chat));
    await finished(transaction);
  }

  async remove(...ids) {
    const transaction = this.#db.transaction(["heads", "chats"], "readwrite");
    for (const name of ["heads", "chats"]) for (const id of ids) transaction.objectStore(name).delete(id);
    await finished(transaction);
  }

  async trim() {
    const extra = (await this.list()).slice(MAX_CHATS);
    if (extra.length) await this.remove(...extra.map(({ id }) => id));
  }

  async clear() {
    const transaction = this.#db.transaction(["heads", "chats"], "readwrite");
    for (const name of ["heads", "chats"]) transaction.objectStore(name).clear();
    await finished(transaction);
  }

  /** The heads of the chats with these words. One chat is in memory at a time. */
  search(query) {
    return new Promise((resolve, reject) => {
      const found = [];
      const request = this.#db.transaction("chats").objectStore("chats").openCursor();
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor) return resolve(newestFirst(found));
        if (matches(cursor.value, query)) found.push(headOf(cursor.value));
        cursor.continue();
      };
    });
  }
}

class Memory {
  isKept = false;
  #chats = new Map();

  async list() {
    return newestFirst([...this.#chats.values()].map(headOf));
  }

  async load(id) {
    return this.#chats.get(id);
  }

  async save(chat) {
    this.#chats.set(chat.id, chat);
  }

  async remove(...ids) {
    for (const id of ids) this.#chats.delete(id);
  }

  async trim() {
    for (const { id } of (await this.list()).slice(MAX_CHATS)) this.#chats.delete(id);
  }

  async clear() {
    this.#chats.clear();
  }

  async search(query) {
    return newestFirst([...this.#chats.values()].filter((chat) => matches(chat, query)).map(headOf));
  }
}
