// The customer's phone: who is writing, what the phone shows, and its ticks.
import { call, clock, el, icon, paintAvatar, post, throttled, toast } from "./dom.js";
import { Compose, formOf } from "./compose.js";
import { Log } from "./log.js";
import { fileNode } from "./media.js";

const SAMPLES = [["Sample picture", { type: "image", sample: "image", text: "The view from the hut" }], ["Sample video", { type: "video", sample: "video" }],
  ["Sample voice message", { type: "audio", sample: "audio" }], ["Sample document", { type: "document", sample: "document" }], ["Sample sticker", { type: "sticker", sample: "sticker" }],
  ["Location", { type: "location", message: { location: { latitude: 52.52, longitude: 13.405, name: "Alexanderplatz", address: "10178 Berlin" } } }]];
const DEFAULT = { wa_id: "4915112345678", name: "Ada Brandt" };
const WORDS = { sent: "Sent", delivered: "Delivered", read: "Read" };

export class PhoneSide {
  constructor(root) {
    this.root = root;
    this.people = new Map([[DEFAULT.wa_id, DEFAULT.name]]);
    this.current = localStorage.getItem("customer") ?? DEFAULT.wa_id;
    this.line = null;
    this.texts = new Map();
    this.log = new Log(root.querySelector(".log"), (message) => this.bubble(message), () => `Write to ${this.line?.verified_name ?? "the business"} to start the conversation.`);
    this.compose = new Compose(root.querySelector(".compose"), { placeholder: "Message as the customer", samples: SAMPLES, send: (fields, file) => this.send(fields, file) });
    this.refresh = throttled(() => this.load(), 150);
    this.refreshPeople = throttled(() => this.loadPeople(), 1000);
    document.getElementById("customer").addEventListener("change", (event) => this.choose(event.target.value));
    this.bindSettings();
    this.bindDialog();
  }

  async setLine(line) {
    this.line = line;
    this.log.stuck = true;
    await this.loadPeople();
    await this.load();
  }

  changed(contact) {
    this.refreshPeople();
    if (!contact || contact === this.current) this.refresh();
  }

  choose(waId) {
    this.current = waId;
    this.log.stuck = true;
    localStorage.setItem("customer", waId);
    document.getElementById("customer").value = waId;
    this.load();
  }

  async loadPeople() {
    const { contacts } = await call("/phone/contacts?limit=200");
    for (const each of contacts) this.people.set(each.wa_id, each.name);
    if (!this.people.has(this.current)) this.people.set(this.current, `+${this.current}`);
    const select = document.getElementById("customer");
    const options = [...this.people].map(([waId, name]) => el("option", { value: waId }, name || `+${waId}`));
    select.replaceChildren(...options);
    select.value = this.current;
  }

  async load() {
    if (!this.line) return;
    const [chat, settings] = await Promise.all([call(`/phone/${this.current}/messages?to=${this.line.phone_number_id}&limit=300`), call(`/phone/${this.current}`)]);
    document.getElementById("online").checked = settings.online;
    document.getElementById("reads").checked = settings.reads_automatically;
    this.texts = new Map(chat.messages.map((each) => [each.id, each.text ?? each.type]));
    this.head(chat.typing);
    this.log.show(chat.messages, (message) => new Date(message.timestamp * 1000));
    this.waiting(chat.undelivered);
  }

  head(typing) {
    const name = this.line.verified_name || this.line.display_phone_number;
    paintAvatar(this.root.querySelector(".chat-head .avatar"), name);
    this.root.querySelector(".title").textContent = name;
    const subtitle = this.root.querySelector(".subtitle");
    subtitle.textContent = typing ? "typing…" : this.line.display_phone_number;
    subtitle.classList.toggle("typing", typing);
    if (typing) setTimeout(() => this.refresh(), 5000);
  }

  waiting(undelivered) {
    const failed = undelivered.filter((each) => each.status === "failed");
    const node = this.root.querySelector(".waiting");
    const rest = undelivered.length - failed.length;
    const parts = [];
    if (rest) parts.push(`${rest} on ${rest === 1 ? "its" : "their"} way`);
    if (failed.length) parts.push(`${failed.length} could not be delivered (${failed.at(-1).errors[0].title})`);
    node.hidden = !parts.length;
    node.textContent = parts.join(", ");
  }

  async send(fields, file) {
    const message = { from: this.current, to: this.line.phone_number_id, name: this.people.get(this.current) ?? "", ...fields };
    await post("/phone/messages", file ? formOf(message, file) : message);
    this.refresh();
  }

  bubble(message) {
    const own = message.direction === "inbound";
    const sticker = message.type === "sticker";
    return el("li", { class: `bubble${own ? " own" : ""}${sticker ? " sticker" : ""}` }, this.quote(message), ...this.content(message), this.meta(message, own));
  }

  quote(message) {
    const text = message.context && this.texts.get(message.context.message_id ?? message.context.id);
    return text ? el("div", { class: "quote" }, text) : null;
  }

  content(message) {
    const { media, payload, type } = message;
    const parts = [];
    if (media) parts.push(fileNode({ mime: media.mime_type, url: media.url, name: media.filename, size: media.size, sticker: type === "sticker" }));
    if (type === "location") parts.push(el("span", { class: "document" }, icon("pin"), el("span", {}, el("b", {}, payload.location?.name ?? "Location"), el("small", {}, payload.location?.address ?? `${payload.location?.latitude}, ${payload.location?.longitude}`))));
    else if (type === "reaction") parts.push(el("div", { class: "emoji" }, message.text ?? ""));
    else if (message.text) parts.push(el("div", { class: "text" }, message.text));
    if (type === "interactive" && message.direction === "outbound") parts.push(...this.options(message));
    if (!parts.length) parts.push(el("div", { class: "footer" }, type));
    return parts;
  }

  options(message) {
    const { interactive } = message.payload;
    const replies = (interactive.action.buttons ?? []).map((each) => ["button_reply", each.reply]);
    const rows = (interactive.action.sections ?? []).flatMap((section) => section.rows.map((row) => ["list_reply", row]));
    const link = interactive.action.parameters;
    return [interactive.footer ? el("div", { class: "footer" }, interactive.footer.text) : null,
      el("div", { class: "options" }, ...[...replies, ...rows].map(([kind, option]) => el("button", { type: "button", onclick: () => this.answer(message, kind, option) }, option.title)),
        link?.url ? el("a", { class: "document", href: link.url, target: "_blank", rel: "noopener noreferrer" }, link.display_text) : null)];
  }

  answer(message, kind, option) {
    const reply = kind === "list_reply" ? option : { id: option.id, title: option.title };
    const raw = { interactive: { type: kind, [kind]: reply }, context: { from: this.line.display_phone_number.replace(/\D/g, ""), id: message.id } };
    this.send({ type: "interactive", message: raw }).catch((error) => toast(error.message));
  }

  meta(message, own) {
    const parts = [el("time", {}, clock(new Date(message.timestamp * 1000)))];
    // A real phone ticks only its owner's messages; here one also sees what the business has been told of its own.
    const word = own ? WORDS[message.status] ?? message.status : `The business was told: ${message.status}`;
    parts.push(el("span", { class: `ticks${message.status === "read" ? " read" : ""}`, role: "img", "aria-label": word, title: word }, message.status === "sent" ? "✓" : "✓✓"));
    if (own) {
      const state = message.webhook?.state;
      if (state && !["delivered", "waiting"].includes(state)) parts.unshift(el("span", { class: "note" }, state === "retrying" ? `webhook refused, attempt ${message.webhook.attempts}` : state));
    }
    return el("div", { class: "meta" }, ...parts);
  }

  bindSettings() {
    const bind = (id, field) => document.getElementById(id).addEventListener("change", (event) => {
      post(`/phone/${this.current}`, { [field]: event.target.checked }).catch((error) => toast(error.message));
    });
    bind("online", "online");
    bind("reads", "reads_automatically");
  }

  bindDialog() {
    const dialog = document.getElementById("customer-dialog");
    const form = dialog.querySelector("form");
    document.getElementById("new-customer").addEventListener("click", () => { form.reset(); dialog.showModal(); });
    form.querySelector("[value=cancel]").addEventListener("click", () => dialog.close());
    form.addEventListener("submit", async () => {
      const waId = form.elements.number.value.replace(/\D/g, "");
      this.people.set(waId, form.elements.name.value.trim());
      try {
        await post(`/phone/${waId}`, { name: form.elements.name.value.trim(), hide_phone: form.elements.hide_phone.checked });
        this.choose(waId);
        await this.loadPeople();
      } catch (error) { toast(error.message); }
    });
  }
}
