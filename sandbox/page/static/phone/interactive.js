// What a business offers to tap: reply buttons, lists, links, templates, and requests for a place, contact or form.
import { el, icon } from "../dom.js";
import { link, textNode } from "../markup.js";
import { fileNode } from "../media.js";

const FACES = { location_request_message: "pin", call_permission_request: "call", url: "link", phone: "call", request: "form", quick_reply: "reply", reply: "reply" };

export function interactiveParts(message, taps) {
  const { header, body, footer } = message.interactive;
  return [headerNode(header), body ? textNode(body) : null,
    footer ? el("div", { class: "footer" }, footer) : null, offers(message, taps)].filter(Boolean);
}

function headerNode(header) {
  if (header?.media) return fileNode({ mime: header.media.mime_type, url: header.media.url, name: header.media.filename, size: header.media.size });
  return header?.text ? el("div", { class: "header" }, header.text) : null;
}

function offers(message, taps) {
  const { kind, button, options } = message.interactive;
  if (!options.length) return null;
  if (kind === "list") return el("div", { class: "options" }, el("button", { type: "button", "aria-haspopup": "dialog", onclick: () => taps.list(message.id) }, icon("list"), button ?? "Choose"));
  const below = options.filter((option) => !option.section);
  const parts = [];
  if (below.length) parts.push(el("div", { class: "options" }, ...below.map((option) => offer(message, option, taps))));
  if (below.length < options.length) parts.push(el("div", { class: "cards" }, ...sections(options.filter((option) => option.section)).map(([title, own]) => card(title, own, message, taps))));
  return parts.length === 1 ? parts[0] : el("div", {}, ...parts);
}

// One of several side by side; its picture is Meta's to fetch.
function card(title, options, message, taps) {
  return el("div", { class: "card options", role: "group", "aria-label": title }, el("p", {}, title), ...options.map((option) => offer(message, option, taps)));
}

function offer(message, option, taps) {
  const face = icon(FACES[message.interactive.kind] ?? FACES[option.kind] ?? "reply");
  if (option.kind === "url") return link(option.url ?? "", optionLabel(face, option), "option");
  if (option.kind === "phone") return el("span", { class: "option" }, face, option.title);
  return el("button", { type: "button", class: option.tapped ? "tapped" : "", onclick: () => taps.option(message.id, option.index) }, face, option.title);
}

function optionLabel(face, option) {
  const label = document.createDocumentFragment();
  label.append(face, option.title);
  return label;
}

// The list slides over the chat, inside the phone. While it is open nothing behind it takes part.
export class Sheet {
  constructor(device, taps) {
    this.taps = taps;
    this.title = el("h3", { id: "sheet-title" });
    this.rows = el("div", { class: "sheet-rows" });
    this.closer = el("button", { type: "button", class: "icon quiet", "aria-label": "Close the list", onclick: () => this.close() }, icon("close"));
    this.node = el("dialog", { class: "sheet", "aria-labelledby": "sheet-title", onkeydown: (event) => { if (event.key === "Escape") this.close(); } },
      el("header", {}, this.title, this.closer), this.rows);
    this.behind = [...device.children];
    device.append(this.node);
  }

  open(message) {
    this.opener = document.activeElement;
    this.title.textContent = message.interactive.button ?? "Choose";
    this.rows.replaceChildren(...sections(message.interactive.options).map(([title, rows]) => el("div", { role: "group", "aria-label": title || "Choices" },
      title ? el("span", { class: "sheet-section", "aria-hidden": "true" }, title) : null, ...rows.map((row) => this.row(message, row)))));
    this.behind.forEach((each) => { each.inert = true; });
    this.node.show();
    this.rows.querySelector("button")?.focus();
  }

  row(message, row) {
    return el("button", { type: "button", class: `sheet-row${row.tapped ? " tapped" : ""}`, onclick: () => { this.close(); this.taps.option(message.id, row.index); } },
      el("span", {}, el("b", {}, row.title), row.description ? el("small", {}, row.description) : null), el("i", { "aria-hidden": "true" }));
  }

  close() {
    if (!this.node.open) return;
    this.behind.forEach((each) => { each.inert = false; });
    this.node.close();
    this.opener?.focus();
  }
}

function sections(options) {
  const found = new Map();
  for (const option of options) found.set(option.section ?? "", [...(found.get(option.section ?? "") ?? []), option]);
  return [...found];
}
