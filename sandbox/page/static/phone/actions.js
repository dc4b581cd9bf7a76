// What a customer does with a message that is there: react, reply, edit, delete, tap an answer.
import { toast } from "../dom.js";
import { Menu, placeBeside } from "../menu.js";
import { oneLine } from "./samples.js";

const EMOJI = [["👍", "thumbs up"], ["❤️", "a heart"], ["😂", "laughter"], ["😮", "surprise"], ["😢", "tears"], ["🙏", "thanks"]];

export class Actions {
  // `side` knows who writes to whom, and holds the compose bar.
  constructor(side) {
    this.side = side;
    this.host = side.root.querySelector(".device");
    this.menu = new Menu(this.host, "Message", "actions-menu");
  }

  open(message, opener) {
    this.menu.fill(this.groups(message));
    this.menu.toggle(opener);
    if (!this.menu.node.hidden) placeBeside(this.menu.node, opener, this.host);
  }

  groups(message) {
    if (message.deleted) return [["Message", [["Reply", () => this.reply(message)]]]];
    const mine = message.reactions.find((each) => each.by === "contact")?.emoji;
    const faces = EMOJI.map(([emoji, name]) => [emoji, () => this.call("reactions", { id: message.id, emoji: emoji === mine ? "" : emoji }), emoji === mine ? `Take back ${name}` : `React with ${name}`]);
    const items = [["Reply", () => this.reply(message)]];
    if (mine) items.push(["Take the reaction back", () => this.call("reactions", { id: message.id, emoji: "" })]);
    if (message.direction === "inbound") items.push(...this.own(message));
    return [["React", faces], ["Message", items]];
  }

  own(message) {
    const edits = message.type === "text" ? [["Edit…", () => this.edit(message)]] : [];
    return [...edits, ["Delete", () => this.call("revocations", { id: message.id })]];
  }

  reply(message) {
    const title = message.direction === "inbound" ? "You" : this.side.business();
    this.side.compose.setMode({ title, preview: oneLine(message), fields: { reply_to: message.id } });
  }

  edit(message) {
    const act = async (text) => { await this.side.post("edits", { id: message.id, text }); };
    this.side.compose.setMode({ title: "Edit", preview: oneLine(message), text: message.text ?? "", act });
  }

  tap(id, option) {
    this.call("taps", { id, option });
  }

  call(path, fields) {
    this.side.post(path, fields).catch((error) => toast(error.message));
  }
}

// Arrow keys walk from message to message, on the button that opens a message's actions.
export function walkable(log) {
  log.addEventListener("keydown", (event) => {
    if (!["ArrowUp", "ArrowDown"].includes(event.key) || ![log, ...log.querySelectorAll(".act")].includes(event.target)) return;
    const stops = [...log.querySelectorAll(".act")];
    const index = stops.indexOf(event.target);
    const next = event.key === "ArrowUp" ? (index === -1 ? stops.length : index) - 1 : index + 1;
    if (index === -1 && event.key === "ArrowDown") return;
    event.preventDefault();
    (stops[next] ?? (next < 0 ? stops[0] : log))?.focus();
  });
}
