// The agent's desk: conversations of an integration, and what became of each reply.
import { call, clock, el, paintAvatar, post, throttled } from "./dom.js";
import { Compose, formOf } from "./compose.js";
import { Log } from "./log.js";
import { brokenNode, fileNode } from "./media.js";

const CHOICES = [["Monday", "mon"], ["Tuesday", "tue"], ["Wednesday", "wed"]].map(([text, payload]) => ({ contentType: "QuickReply", quickReply: { text, payload } }));
const SAMPLES = [["Sample picture", { sample: "image" }], ["Sample video", { sample: "video" }], ["Sample voice message", { sample: "audio" }], ["Sample document", { sample: "document" }],
  ["Quick replies (as a bot)", { type: "Structured", text: "Which day suits you?", content: CHOICES }], ["Typing indicator", { typing: true }]];

export class DeskSide {
  constructor(root) {
    this.root = root;
    this.integration = null;
    this.current = null;
    this.names = new Map();
    this.log = new Log(root.querySelector(".log"), (message) => this.bubble(message), () => (this.current ? "No messages yet." : "No conversation yet. A message from the phone opens one."));
    this.compose = new Compose(root.querySelector(".compose"), { placeholder: "Reply as the agent", samples: SAMPLES, send: (fields, file) => this.send(fields, file) });
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

  async loadList() {
    if (!this.integration) return;
    const { contacts } = await call(`/agent/contacts?integration_id=${this.integration.integration_id}&limit=100`);
    this.names = new Map(contacts.map((each) => [each.contact, each.nickname || each.contact]));
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

  async load() {
    this.compose.enable(Boolean(this.current));
    const chat = this.current ? await call(`/agent/${encodeURIComponent(this.current)}/messages?integration_id=${this.integration.integration_id}&limit=300`) : { messages: [], nickname: "" };
    const name = this.current ? chat.nickname || chat.contact : "";
    paintAvatar(this.root.querySelector(".chat-head .avatar"), name);
    this.root.querySelector(".title").textContent = name || "No conversation";
    this.root.querySelector(".subtitle").textContent = chat.conversation_id ? `Conversation ${chat.conversation_id}` : "";
    this.log.show(chat.messages, (message) => new Date(message.received_at));
  }

  async send(fields, file) {
    const message = { contact: this.current, integration_id: this.integration.integration_id, ...fields };
    await post("/agent/messages", file ? formOf(message, file) : message);
    this.refresh();
  }

  bubble(message) {
    const own = message.direction === "outbound";
    const failed = message.status === "Failed" || message.webhook?.state === "given up";
    return el("li", { class: `bubble${own ? " own" : ""}${failed ? " failed" : ""}` }, ...this.content(message), this.meta(message, own));
  }

  content(message) {
    const parts = [];
    if (message.attachment) parts.push(this.attachment(message.attachment));
    if (message.text) parts.push(el("div", { class: "text" }, message.text));
    const options = message.content.map((each) => each.quickReply?.text ?? each.card?.title ?? each.contentType).filter((each) => each !== "Attachment");
    if (options.length) parts.push(el("div", { class: "options" }, ...options.map((each) => el("span", {}, each))));
    return parts;
  }

  attachment(file) {
    if (file.copy) return fileNode({ mime: file.mime, url: file.copy, name: file.filename, size: file.size });
    if (file.fetch.state === "waiting") return brokenNode("Fetching the file…", file.filename);
    return brokenNode(file.fetch.state === "removed" ? "File removed by Genesys" : "File could not be fetched", file.fetch.error);
  }

  meta(message, own) {
    const parts = [el("time", {}, clock(new Date(message.received_at)))];
    if (message.button_response) parts.unshift(el("span", { class: "kind" }, "chose an option"));
    if (own) parts.push(...this.receipt(message));
    return el("div", { class: "meta" }, ...parts);
  }

  receipt(message) {
    const hook = message.webhook;
    if (hook && hook.state !== "delivered" && hook.state !== "waiting" && message.status === "Sent") {
      return [el("span", { class: "note" }, hook.state === "retrying" ? `webhook refused, attempt ${hook.attempts}` : hook.state)];
    }
    const reason = message.receipts.at(-1)?.reasons[0];
    if (message.status !== "Failed") return [el("span", {}, message.status)];
    return [el("span", {}, "Failed"), el("span", { class: "problem" }, reason ? `${reason.code}: ${reason.message}` : "no reason given")];
  }
}
