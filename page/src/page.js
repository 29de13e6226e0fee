// What the user does, and what it does to chats, runs and views.

import { download } from "./chat/export.js";
import { bodyFor } from "./chat/request.js";
import { Run } from "./chat/run.js";
import { add, newChat, path, select, versions } from "./chat/tree.js";
import { $, button, element, notice } from "./dom.js";
import * as session from "./session.js";
import { share } from "./share.js";
import { showProgress } from "./view/stats.js";
import { Composer } from "./view/composer.js";
import { asked, chosen, confirmed, KeyDialog, SettingsDialog } from "./view/dialogs.js";
import { Log } from "./view/log.js";
import { Picker } from "./view/picker.js";
import { Sidebar } from "./view/sidebar.js";
import * as words from "./words.js";

const SAVE_EVERY = 400; // milliseconds: the cost of saving grows with the chat
const CHIPS = [
  ["What can you do?", "/help"],
  ["Show me the code", "Show me a Python example"],
  ["Streaming on Lambda", "How does streaming from AWS Lambda work?"],
  ["Think first", "Why do tokens stream? /reason"],
  ["Call a tool", "What is the weather? /tool"],
  ["Fail in the middle", "Tell me about streaming /fail"],
];

const FORMATS = { yes: "md", other: "json" };

export class Page {
  #store;
  #chat = newChat();
  #runs = new Map(); // by the chat's id: {run, chat}
  #saving = new Map(); // by the chat's id: {timer, chat}
  #listed = new WeakSet(); // chats that the list of chats has
  #removed = new WeakSet(); // chats that must not be saved again
  #log;
  #composer = new Composer((message) => this.#ask(message));
  #picker = new Picker((name) => this.#choseModel(name));
  #settings = new SettingsDialog();
  #keys = new KeyDialog((list) => this.#accepted(list));
  #sidebar;

  constructor(store) {
    this.#store = store;
    this.#log = new Log(this.#turnActions());
    this.#sidebar = new Sidebar(store, {
      current: () => this.#chat.id,
      open: (id) => this.#go(id),
      rename: (head) => this.#rename(head),
      remove: (head) => this.#remove(head),
      exportChat: (head) => this.#export(head),
      clear: () => this.#clear(),
    });
    this.#wire();
    this.#loadModels();
  }

  /** Shows a chat, or a new one; goes on with its answer if that is not complete. */
  async open(id) {
    if (id && id === this.#chat.id) return;
    const found = id ? (this.#runs.get(id)?.chat ?? (await this.#store.load(id))) : null;
    if (id && !found) notice("This browser no longer has that chat.");
    this.#chat = found ?? newChat();
    this.#chat.model ||= localStorage.getItem("model") ?? "";
    if (this.#picker.has(this.#chat.model)) this.#picker.show(this.#chat.model);
    this.#composer.open(found ? this.#chat.id : "");
    this.#show();
    this.#sidebar.refresh();
    this.#resume();
  }

  saveNow() {
    for (const { chat } of this.#saving.values()) this.#save(chat);
  }

  // --- asking ---

  get #running() {
    return this.#runs.get(this.#chat.id)?.run;
  }

  #ask({ text, files }) {
    if (this.#running) return false;
    const chat = this.#chat;
    const isNew = chat.leaf === null;
    const node = add(chat, { role: "user", text, ...(files.length ? { files } : {}) });
    this.#log.add(node);
    if (isNew) this.#begin(chat);
    this.#answer(chat, node);
    return true;
  }

  #begin(chat) {
    history.replaceState(null, "", `/#chat=${chat.id}`);
    this.#composer.begin(chat.id);
    this.#store.trim();
  }

  /** Starts an answer after a turn. */
  async #answer(chat, after) {
    const turn = add(chat, { role: "assistant", text: "", live: true }, after.id);
    if (chat === this.#chat) this.#show();
    this.#log.toEnd();
    await this.#follow(chat, turn, () => bodyFor(chat, after.id));
  }

  async #follow(chat, turn, makeBody) {
    const hooks = {
      key: session.key(),
      changed: () => {
        this.#saveSoon(chat);
        this.#log.changed(turn);
      },
      named: () => {
        this.#save(chat);
        this.#paintControls();
      },
      progress: (state) => chat === this.#chat && showProgress(state),
    };
    const waiting = { chat, run: { turn, stop: () => (waiting.isStopped = true) } };
    this.#runs.set(chat.id, waiting);
    chat.model = this.#picker.chosen || chat.model;
    turn.live = true;
    delete turn.note;
    this.#log.changed(turn);
    this.#paintControls();
    this.#save(chat);
    const body = await makeBody?.();
    if (waiting.isStopped) turn.live = false;
    else {
      waiting.run = new Run(turn, { body: body ?? null, ...hooks });
      await waiting.run.read();
    }
    this.#ended(chat, turn);
  }

  #ended(chat, turn) {
    this.#runs.delete(chat.id);
    chat.updated = Date.now();
    this.#save(chat);
    this.#log.ended(turn);
    this.#paintControls();
    if (turn.note?.status === 401) this.#askForKey(session.key() ? words.WRONG_KEY : "");
    else if (chat === this.#chat && !isTyping()) $("prompt").focus({ preventScroll: true });
  }

  /** Goes on with an answer that a reload has interrupted. */
  #resume() {
    const turn = path(this.#chat).at(-1);
    if (!turn?.live || this.#running) return;
    if (turn.stream?.id) return this.#follow(this.#chat, turn, null);
    turn.live = false;
    turn.note = { kind: "error", text: words.RELOADED };
    this.#log.ended(turn);
  }

  async #stop() {
    await this.#running?.stop();
  }

  #turnActions() {
    return {
      versions: (turn) => versions(this.#chat, turn),
      choose: (turn) => {
        select(this.#chat, turn);
        this.#show();
        this.#save(this.#chat);
      },
      edit: (turn, text) => this.#edit(turn, text),
      regenerate: (turn) => !this.#running && this.#answer(this.#chat, this.#chat.nodes[turn.parent]),
      goOn: (turn) => !this.#running && this.#follow(this.#chat, turn, () => bodyFor(this.#chat, turn.id, { goOn: true })),
      canAnswer: (turn) => this.#chat.leaf === turn.id,
      sendResults: (turn, results) => this.#answer(this.#chat, add(this.#chat, { role: "tool", results, text: "" }, turn.id)),
      enterKey: () => this.#askForKey(),
    };
  }

  #edit(turn, text) {
    if (this.#running) return;
    const { files, parent } = turn;
    this.#answer(this.#chat, add(this.#chat, { role: "user", text, ...(files ? { files } : {}) }, parent));
  }

  // --- showing ---

  #show() {
    this.#log.show(path(this.#chat));
    this.#paintControls();
  }

  #paintControls() {
    const isRunning = Boolean(this.#running);
    $("stop").hidden = !isRunning;
    $("send").hidden = isRunning;
    $("share").hidden = !this.#lastAnswer()?.stream?.id;
    $("settings-open").classList.toggle("set", Object.keys(this.#chat.settings).length > 0);
    document.title = this.#chat.title ? `${this.#chat.title} · tokenwire` : "tokenwire";
  }

  #lastAnswer() {
    return path(this.#chat).findLast(({ role }) => role === "assistant");
  }

  #share() {
    const answer = this.#lastAnswer();
    const question = path(this.#chat, answer.id).findLast(({ role }) => role === "user");
    return share(answer.stream.id, question?.text ?? "");
  }

  // --- keeping ---

  #saveSoon(chat) {
    if (!this.#saving.has(chat.id)) this.#saving.set(chat.id, { chat, timer: setTimeout(() => this.#save(chat), SAVE_EVERY) });
  }

  /** Saves the turns together with the position in the running stream, for consistency. */
  async #save(chat) {
    clearTimeout(this.#saving.get(chat.id)?.timer);
    this.#saving.delete(chat.id);
    if (chat.leaf === null || this.#removed.has(chat)) return;
    const isListed = this.#listed.has(chat);
    this.#listed.add(chat);
    try {
      await this.#store.save(chat);
    } catch {
      notice("This browser has no room for this chat. Delete others, or export it.");
    }
    if (!isListed) this.#sidebar.refresh();
  }

  // --- chats ---

  #go(id) {
    if ($("chats").matches(":popover-open")) $("chats").hidePopover();
    history.pushState(null, "", id ? `/#chat=${id}` : "/");
    this.open(id);
    $("prompt").focus();
  }

  async #chatOf({ id }) {
    return id === this.#chat.id ? this.#chat : (this.#runs.get(id)?.chat ?? (await this.#store.load(id)));
  }

  async #rename(head) {
    const title = await asked("Title of this chat", head.title);
    if (!title) return;
    const chat = await this.#chatOf(head);
    chat.title = title.slice(0, 200);
    await this.#save(chat);
    this.#sidebar.refresh();
    this.#paintControls();
  }

  async #remove(head) {
    if (!(await confirmed(`Delete “${head.title}”? It is nowhere but in this browser.`, "Delete"))) return;
    await this.#forget(head.id);
    await this.#store.remove(head.id);
    if (head.id === this.#chat.id) this.#go(null);
    else this.#sidebar.refresh();
  }

  async #clear() {
    const heads = await this.#store.list();
    if (!(await confirmed(`Delete all ${heads.length} chats? They are nowhere but in this browser.`, "Delete all"))) return;
    for (const { id } of heads) await this.#forget(id);
    await this.#store.clear();
    this.#go(null);
  }

  /** Stops the answer of a chat that is deleted, and does not save it again. */
  async #forget(id) {
    const running = this.#runs.get(id);
    const chat = running?.chat ?? (id === this.#chat.id ? this.#chat : null);
    if (chat) this.#removed.add(chat);
    sessionStorage.removeItem(`draft:${id}`);
    await running?.run.stop();
  }

  async #export(head) {
    const format = FORMATS[await chosen("Export what is shown as Markdown, or all of it as JSON?", "Markdown", "JSON")];
    if (format) download(await this.#chatOf(head), format);
  }

  // --- the server ---

  async #loadModels() {
    const list = await session.models();
    if (list.status === 200) return this.#accepted(list);
    if (list.status === 401) return this.#askForKey(session.key() ? words.WRONG_KEY : "");
    this.#banner(list.status === 0 ? words.UNREACHABLE : (list.message ?? words.UNREACHABLE), "Try again", () => this.#loadModels());
  }

  #accepted(list) {
    $("banner").replaceChildren();
    this.#picker.offer(list, this.#chat.model || localStorage.getItem("model"));
    $("chips").hidden = !this.#picker.chosen.startsWith("demo/");
  }

  #askForKey(why = "") {
    this.#banner(words.NEEDS_KEY, "Enter a key", () => this.#keys.open());
    this.#keys.open(why);
  }

  #banner(text, label, act) {
    $("banner").replaceChildren(element("p", { class: "banner" }, text, " ", button(label, act)));
  }

  #choseModel(name) {
    this.#chat.model = name;
    localStorage.setItem("model", name);
    this.#save(this.#chat);
  }

  #wire() {
    $("stop").addEventListener("click", () => this.#stop());
    $("share").addEventListener("click", () => this.#share());
    for (const id of ["new", "new-top"]) $(id).addEventListener("click", () => this.#go(null));
    $("settings-open").addEventListener("click", () =>
      this.#settings.open(this.#chat.settings, (settings) => {
        this.#chat.settings = settings;
        this.#paintControls();
        this.#save(this.#chat);
      }));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#running && !document.querySelector("dialog[open], :popover-open")) this.#stop();
    });
    for (const [label, text] of CHIPS) {
      $("chips").append(element("li", {}, button(label, () => this.#ask({ text, files: [] }), { class: "chip" })));
    }
  }
}

/** Whether the user writes somewhere, or has selected something: the focus stays there. */
function isTyping() {
  return document.activeElement?.matches("textarea, input, button, summary") || !document.getSelection().isCollapsed || document.querySelector("dialog[open]");
}
