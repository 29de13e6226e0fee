// The list of chats: search, open, rename, export, delete.

import { $, button, element } from "../dom.js";

const SEARCH_AFTER = 200; // milliseconds without a key

export class Sidebar {
  #store;
  #actions;
  #timer = null;
  #asked = 0;

  /** `actions`: open(id), rename(head), remove(head), exportChat(head), clear(), current(). */
  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    $("search-chats").addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.refresh(), SEARCH_AFTER);
    });
    $("delete-all").addEventListener("click", () => actions.clear());
    $("chat-note").hidden = store.isKept;
    document.addEventListener("click", ({ target }) => closeMenus(target));
  }

  async refresh() {
    const number = (this.#asked += 1);
    const query = $("search-chats").value.trim();
    const heads = query ? await this.#store.search(query) : await this.#store.list();
    if (number !== this.#asked) return; // a newer one is on its way
    $("chat-list").replaceChildren(...heads.map((head) => this.#item(head)));
    $("chat-none").textContent = query ? "No chat has these words." : "No chats yet.";
    $("chat-none").hidden = heads.length > 0;
    $("delete-all").hidden = query !== "" || heads.length === 0;
  }

  #item(head) {
    const isCurrent = head.id === this.#actions.current();
    const title = head.title || "Chat";
    const open = button(title, () => this.#actions.open(head.id), { class: "open-chat", dir: "auto", "aria-current": isCurrent ? "true" : null, title });
    const more = (label, act) => button(label, () => act(head), { "aria-label": `${label} “${title}”` });
    const menu = element("details", { class: "more" },
      element("summary", { "aria-label": `More for “${title}”` }, "⋯"),
      element("div", {}, more("Rename", this.#actions.rename), more("Export", this.#actions.exportChat), more("Delete", this.#actions.remove)));
    return element("li", {}, open, menu);
  }
}

/** Closes the open menus, but for the one whose head was clicked. */
function closeMenus(target) {
  for (const menu of document.querySelectorAll(".more[open]")) {
    if (!menu.querySelector("summary").contains(target)) menu.open = false;
  }
}
