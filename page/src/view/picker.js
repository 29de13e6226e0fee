// The model picker: a searchable list, grouped by provider.

import { $, element } from "../dom.js";

/** Models that are listed at once. A search finds the others. */
const MAX_SHOWN = 300;

/**
 * A combobox in a dialog, by the pattern of WAI-ARIA: the focus stays in the search field, the
 * arrow keys move the active option.
 */
export class Picker {
  #groups = new Map(); // provider: names
  #names = [];
  #options = [];
  #providers = {}; // name: {status, detail}
  #active = 0;
  #chosen = "";
  #changed;

  constructor(changed) {
    this.#changed = changed;
    $("model").addEventListener("click", () => this.#open());
    $("search-models").addEventListener("input", () => this.#list());
    $("search-models").addEventListener("keydown", (event) => this.#key(event));
    $("model-list").addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#choose(option.dataset.name);
    });
    $("picker-leave").addEventListener("click", () => $("picker").close());
  }

  get chosen() {
    return this.#chosen;
  }

  /** Offers the models of `/v1/models`: aliases have their own name as owner. */
  offer({ data, default: standard, providers }, wanted) {
    this.#providers = providers;
    this.#names = data.map(({ id }) => id);
    this.#groups = Map.groupBy(this.#names, (name) => (name.includes("/") ? name.slice(0, name.indexOf("/")) : "Aliases"));
    this.show(this.#names.includes(wanted) ? wanted : standard);
    $("model").disabled = false;
  }

  has(name) {
    return this.#names.includes(name);
  }

  show(name) {
    this.#chosen = name ?? "";
    $("model-name").textContent = this.#chosen || "Model";
  }

  #open() {
    $("search-models").value = "";
    $("picker").showModal();
    this.#list();
    $("search-models").focus();
    this.#showOff();
  }

  #list() {
    const words = $("search-models").value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (name) => words.every((word) => name.toLowerCase().includes(word));
    this.#options = [];
    const groups = [];
    for (const [provider, names] of this.#groups) {
      const found = names.filter(has).slice(0, MAX_SHOWN - this.#options.length);
      if (!found.length) continue;
      const options = found.map((name) => this.#option(name, provider));
      this.#options.push(...options);
      groups.push(element("li", { role: "presentation" },
        element("ul", { role: "group", "aria-label": provider }, element("li", { role: "presentation", class: "provider" }, provider, this.#trouble(provider)), ...options)));
    }
    $("model-list").replaceChildren(...groups);
    $("model-none").hidden = this.#options.length > 0;
    this.#move(Math.max(0, this.#options.findIndex(({ dataset }) => dataset.name === this.#chosen)));
  }

  /** What is wrong with a provider whose models are listed all the same: a key that it refuses. */
  #trouble(provider) {
    const { status, detail } = this.#providers[provider] ?? {};
    return status && !["ok", "unknown"].includes(status) ? element("span", { class: "error" }, ` ${detail}`) : null;
  }

  #option(name, provider) {
    const label = name.startsWith(`${provider}/`) ? name.slice(provider.length + 1) : name;
    return element("li", { role: "option", id: `option-${this.#names.indexOf(name)}`, "data-name": name, "aria-selected": String(name === this.#chosen) }, label);
  }

  #move(to) {
    this.#options[this.#active]?.classList.remove("active");
    this.#active = Math.min(Math.max(0, to), this.#options.length - 1);
    const option = this.#options[this.#active];
    option?.classList.add("active");
    option?.scrollIntoView({ block: "nearest" });
    if (option) $("search-models").setAttribute("aria-activedescendant", option.id);
    else $("search-models").removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const to = { ArrowDown: this.#active + 1, ArrowUp: this.#active - 1, PageDown: this.#active + 10, PageUp: this.#active - 10 }[event.key];
    if (to !== undefined) this.#move(to);
    else if (event.key === "Enter" && this.#options[this.#active]) this.#choose(this.#options[this.#active].dataset.name);
    else return;
    event.preventDefault();
  }

  #choose(name) {
    this.show(name);
    $("picker").close();
    this.#changed(name);
  }

  /** The providers that have no model to choose, and why. */
  #showOff() {
    const items = Object.entries(this.#providers).filter(([name, { status }]) => status !== "ok" && !this.#groups.has(name));
    $("model-off").hidden = items.length === 0;
    $("model-off-list").replaceChildren(...items.map(([name, { detail }]) => element("li", {}, `${name}: ${detail}`)));
  }
}
