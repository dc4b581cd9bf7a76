// The agent's desk: conversations of an integration, and what became of each reply.
import { call, clock, el, inOrder, paintAvatar, post, throttled, toast } from "../dom.js";
import { Compose, formOf } from "../compose.js";
import { Log } from "../log.js";
import { bubble } from "./bubble.js";
import { groups } from "./samples.js";

const SHOWN = 300;
const TYPING_EVERY = 4000;

export class DeskSide {
  constructor(root) {
    this.root = root;
    this.integration = null;
    this.current = null;
    this.typedAt = 0;
    this.log = new Log(root.querySelector(".log"), bubble, () => (this.current ? "No messages yet." : "No conversation yet. A message from the phone opens one."));
    this.compose = new Compose(root.querySelector(".compose"), { placeholder: "Reply as the agent", send: (fields, file) => this.send(fields, file), typing: () => this.tellTyping(),
      more: { label: "Send something else", groups: () => groups({ deliver: (fields) => this.compose.deliver(fields), prefill: (text) => this.compose.prefill(text) }) } });
    this.end = root.querySelector("#end");
    this.end.addEventListener("click", () => this.endConversation().catch((error) => toast(error.message)));
    this.load = inOrder(() => this.chat(), (chat) => this.show(chat));
    this.loadList = inOrder(() => this.contacts(), (contacts) => this.showList(contacts));
    this.refresh = throttled(() => this.load(), 150);
    this.refreshList = throttled(() => this.loadList(), 700);
  }

  async setIntegration(integration) {
    this.integration = integration;
    this.current = null;
    document.getElementById("integration").textContent = integration ? `${integration.organisation}: ${integration.name}` : "no integration";
    await this.loadList();
    await this.load();
  }

  changed(contact) {
    this.refreshList();
    if (!contact || contact === this.current) this.refresh();
  }

  async contacts() {
    if (!this.integration) return [];
    return (await call(`/agent/contacts?integration_id=${this.integration.integration_id}&limit=100`)).contacts;
  }

  showList(contacts) {
    const known = contacts.some((each) => each.contact === this.current);
    if (!known) { this.current = contacts[0]?.contact ?? null; this.refresh(); }
    const list = document.getElementById("conversations");
    const focused = document.activeElement?.dataset?.contact;
    list.replaceChildren(...(contacts.length ? contacts.map((each) => this.row(each)) : [el("li", { class: "empty" }, "Nobody is waiting.")]));
    if (focused) list.querySelector(`[data-contact="${CSS.escape(focused)}"]`)?.focus();
  }

  row(each) {
    const name = each.nickname || each.contact;
    const face = el("span", { "aria-hidden": "true" });
    paintAvatar(face, name);
    return el("li", {}, el("button", { type: "button", "data-contact": each.contact, "aria-current": String(each.contact === this.current), onclick: () => this.choose(each.contact) }, face,
      el("span", { class: "who" }, el("strong", {}, name), el("time", {}, each.time ? clock(new Date(each.time)) : ""), el("span", {}, each.last ?? ""))));
  }

  choose(contact) {
    this.current = contact;
    this.log.stuck = true;
    for (const node of document.querySelectorAll("#conversations button")) node.setAttribute("aria-current", String(node.dataset.contact === contact));
    this.load();
  }

  async chat() {
    this.compose.enable(Boolean(this.current));
    this.end.disabled = !this.current;
    if (!this.current) return { contact: null, messages: [], nickname: "", custom_attributes: {} };
    return call(`/agent/${encodeURIComponent(this.current)}/messages?integration_id=${this.integration.integration_id}&limit=${SHOWN}`);
  }

  show(chat) {
    if (chat.contact !== this.current) return;
    const name = chat.nickname || chat.contact;
    paintAvatar(this.root.querySelector(".chat-head .avatar"), name);
    this.root.querySelector(".title").textContent = name || "No conversation";
    this.root.querySelector(".subtitle").textContent = chat.conversation_id ? `Conversation ${chat.conversation_id}` : "";
    this.attributes(chat.custom_attributes);
    this.log.show(chat.messages, (message) => new Date(message.received_at));
  }

  attributes(given) {
    const panel = this.root.querySelector(".attributes");
    const pairs = Object.entries(given);
    panel.hidden = !pairs.length;
    panel.querySelector("summary").textContent = `Customer data (${pairs.length})`;
    panel.querySelector("dl").replaceChildren(...pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  async endConversation() {
    await post(`/agent/${encodeURIComponent(this.current)}/end`, { integration_id: this.integration.integration_id });
    this.refresh();
  }

  // Genesys tells of typing every few seconds, not with every key.
  tellTyping() {
    if (!this.current || Date.now() - this.typedAt < TYPING_EVERY) return;
    this.typedAt = Date.now();
    this.send({ typing: true }).catch((error) => console.warn("typing was not told:", error.message));
  }

  async send(fields, file) {
    const message = { contact: this.current, integration_id: this.integration.integration_id, ...fields };
    await post("/agent/messages", file ? formOf(message, file) : message);
    if (!fields.typing) { this.log.stuck = true; this.typedAt = 0; }
    this.refresh();
  }
}
