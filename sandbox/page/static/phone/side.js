// The customer's phone: its chat with the chosen number, and what goes out from it.
import { call, el, inOrder, paintAvatar, post, throttled, toast } from "../dom.js";
import { Compose, formOf } from "../compose.js";
import { Log } from "../log.js";
import { Actions, walkable } from "./actions.js";
import { bubble } from "./bubble.js";
import { Sheet } from "./interactive.js";
import { People } from "./people.js";
import { OWNERS } from "../routing.js";
import { groups, oneLine } from "./samples.js";

const SHOWN = 300;

export class PhoneSide {
  constructor(root) {
    this.root = root;
    this.line = null;
    this.messages = new Map();
    this.people = new People(() => { this.log.stuck = true; this.load(); });
    this.actions = new Actions(this);
    const taps = this.taps();
    this.sheet = new Sheet(root.querySelector(".device"), taps);
    this.log = new Log(root.querySelector(".log"), (message) => bubble(message, taps), () => `Write to ${this.business()} to start the conversation.`);
    walkable(this.log.node);
    this.compose = new Compose(root.querySelector(".compose"), { placeholder: "Message as the customer", more: { label: "More to send", groups: () => this.more() }, send: (fields, file) => this.send(fields, file) });
    this.load = inOrder(() => this.chat(), (chat) => this.show(chat));
    this.refresh = throttled(() => this.load(), 150);
    this.refreshPeople = throttled(() => this.people.load(), 1000);
  }

  // A bubble outlives its message's state, so it names the message only.
  taps() {
    return { option: (id, index) => this.actions.tap(id, index), list: (id) => this.sheet.open(this.messages.get(id)), business: () => this.business(),
      actions: (id, opener) => this.actions.open(this.messages.get(id), opener), jump: (id) => this.log.jump(id) };
  }

  more() {
    const act = (action) => () => action().catch((error) => toast(error.message));
    return groups({ deliver: (fields) => this.compose.deliver(fields), echo: act(() => this.post("echoes", { text: "We answered you from our app." })), call: act(() => this.post("calls", {})),
      changeNumber: () => this.people.changeNumber(), hideNumber: act(() => this.people.hideNumber()), hidden: this.people.settings.hide_phone });
  }

  business() {
    return this.line?.verified_name || this.line?.display_phone_number || "the business";
  }

  async setLine(line) {
    this.line = line;
    this.compose.enable(true);
    this.log.stuck = true;
    await this.people.load();
    await this.load();
  }

  changed(contact) {
    this.refreshPeople();
    if (!contact || contact === this.people.current) this.refresh();
  }

  async chat() {
    if (!this.line) return null;
    const holder = this.people.current;
    const [chat] = await Promise.all([call(`/phone/${holder}/messages?to=${this.line.phone_number_id}&limit=${SHOWN}`), this.people.loadSettings()]);
    return { ...chat, holder };
  }

  show(chat) {
    if (chat?.holder !== this.people.current) return;
    this.head(chat.typing, chat.owner);
    // Reactions, edits and deletions are shown on the message that they are about.
    const shown = chat.messages.filter((each) => !each.about);
    this.messages = new Map(shown.map((each) => [each.id, each]));
    this.log.show(shown, (message) => new Date(message.timestamp * 1000));
    this.waiting(chat.undelivered);
  }

  head(typing, owner) {
    paintAvatar(this.root.querySelector(".chat-head .avatar"), this.business());
    this.root.querySelector(".title").textContent = this.business();
    const subtitle = this.root.querySelector(".subtitle");
    subtitle.textContent = typing ? "typing…" : `${this.line.display_phone_number}${owner ? `, with ${OWNERS[owner]}` : ""}`;
    subtitle.classList.toggle("typing", typing);
    if (typing) setTimeout(() => this.refresh(), 5000);
  }

  // A phone shows nothing of these. The newest few failures are listed with the reason.
  waiting(undelivered) {
    const failed = undelivered.filter((each) => each.status === "failed");
    const rest = undelivered.length - failed.length;
    const node = this.root.querySelector(".waiting");
    node.hidden = !undelivered.length;
    node.querySelector("summary").textContent = [rest ? `${rest} on ${rest === 1 ? "its" : "their"} way` : "", failed.length ? `${failed.length} could not be delivered` : ""].filter(Boolean).join(", ");
    node.querySelector("ul").replaceChildren(...failed.slice(-5).map((each) => el("li", {}, el("b", {}, oneLine(each).slice(0, 120)), el("span", {}, reason(each.errors[0])))));
  }

  post(path, fields) {
    return post(`/phone/${path}`, { from: this.people.current, to: this.line.phone_number_id, ...fields });
  }

  async send(fields, file) {
    const message = { from: this.people.current, to: this.line.phone_number_id, name: this.people.name, ...fields };
    await post("/phone/messages", file ? formOf(message, file) : message);
    this.log.stuck = true;
    this.refresh();
  }
}

function reason(error) {
  if (!error) return "no reason given";
  return `${error.code}: ${error.details || error.title}`;
}
