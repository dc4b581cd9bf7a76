// One message as the phone shows it: what it quotes, what it holds, reactions, time and ticks.
import { clock, el, icon } from "../dom.js";
import { advertCard, contactCards, formCard, orderCard, placeCard } from "../cards.js";
import { textNode } from "../markup.js";
import { brokenNode, fileNode } from "../media.js";
import { interactiveParts } from "./interactive.js";
import { oneLine } from "./samples.js";

const WORDS = { accepted: "Accepted", sent: "Sent", delivered: "Delivered", read: "Read", played: "Played", failed: "Failed" };
const NEWS = { system: "The customer’s number or id has changed", request_welcome: "The chat was opened for the first time", call: "Voice call to the business" };

export function bubble(message, taps) {
  const own = message.direction === "inbound";
  if (message.type in NEWS) return el("div", { class: "news" }, (message.type === "system" && message.text) || NEWS[message.type]);
  const bare = message.type === "sticker" && !message.deleted && message.media;
  const parts = message.deleted ? [deleted(own)] : [...marks(message), quote(message, taps), ...content(message, taps)];
  return el("div", { class: `bubble${own ? " own" : ""}${bare ? " sticker" : ""}${message.reactions.length ? " reacted" : ""}` },
    ...parts, meta(message, own), reactions(message), actions(message, taps));
}

function deleted(own) {
  return el("div", { class: "gone" }, icon("ban"), own ? "You deleted this message" : "This message was deleted");
}

function marks(message) {
  const forwarded = { once: "Forwarded", frequently: "Forwarded many times" }[message.forwarded];
  return [message.origin === "app" ? el("div", { class: "mark" }, icon("phone"), "Sent from the business app") : null,
    message.origin === "business_agent" ? el("div", { class: "mark" }, icon("route"), "Sent by the Business Agent") : null,
    forwarded ? el("div", { class: "mark" }, icon("forward"), forwarded) : null, message.referral ? advertCard(message.referral) : null];
}

function quote({ quoted }, taps) {
  if (!quoted) return null;
  return el("button", { type: "button", class: "quote", onclick: () => taps.jump(quoted.id) },
    el("b", {}, quoted.direction === "inbound" ? "You" : taps.business()), el("span", {}, oneLine(quoted)));
}

function content(message, taps) {
  const { type, media, text } = message;
  if (message.interactive) return interactiveParts(message, taps);
  if (message.answer) return answer(message);
  if (message.location) return [placeCard(message.location)];
  if (message.contacts) return contactCards(message.contacts);
  if (message.order) return [orderCard(message.order)];
  if (media) return [fileNode({ mime: media.mime_type, url: media.url, name: media.filename, size: media.size, sticker: type === "sticker" }), text ? textNode(text) : null];
  if (type === "unsupported") return [el("div", { class: "gone" }, icon("ban"), `${unsupported(message)}: the business is told “unsupported”`)];
  if (message.errors.length) return [brokenNode(message.errors[0].title ?? "Could not be sent", `Error ${message.errors[0].code}`)];
  return [text ? textNode(text) : el("div", { class: "footer" }, oneLine(message))];
}

function unsupported({ payload }) {
  const kind = payload.unsupported?.type ?? payload.type ?? "";
  return { poll_creation: "Poll", edit: "Edited message", gif: "GIF", group_invite: "Group invitation" }[kind] ?? "Message";
}

function answer({ answer: { kind, title, description }, payload, text }) {
  if (kind === "nfm_reply") return [formCard(title || "Form sent", payload.interactive?.nfm_reply?.response_json)];
  return [el("div", { class: "text" }, title || text || "Answer"), description ? el("div", { class: "footer" }, description) : null];
}

function meta(message, own) {
  // A real phone ticks only its owner's messages; here one also sees what the business has been told of its own.
  const word = WORDS[message.status] ?? message.status;
  const label = own ? word : `The business was told: ${message.status}`;
  const ticks = message.status === "failed" ? "!" : ["accepted", "sent"].includes(message.status) ? "✓" : "✓✓";
  return el("div", { class: "meta" }, webhookNote(message, own), message.edited && !message.deleted ? el("span", { title: `Before: ${(message.edits ?? []).join(" / ")}` }, "Edited") : null,
    el("time", {}, clock(new Date(message.timestamp * 1000))),
    message.origin === "app" ? null : el("span", { class: `ticks${["read", "played"].includes(message.status) ? " read" : ""}`, role: "img", "aria-label": label, title: label }, ticks));
}

function webhookNote({ webhook }, own) {
  if (!own || !webhook?.state || ["delivered", "waiting"].includes(webhook.state)) return null;
  return el("span", { class: "note" }, webhook.state === "retrying" ? `webhook refused, attempt ${webhook.attempts}` : webhook.state);
}

function reactions({ reactions: given }) {
  if (!given.length) return null;
  const label = given.map((each) => `${each.by === "contact" ? "You" : "The business"} reacted with ${each.emoji}`).join(", ");
  return el("span", { class: "reactions", role: "img", "aria-label": label, title: label }, ...given.map((each) => each.emoji));
}

function actions(message, taps) {
  return el("button", { type: "button", class: "act icon", tabindex: -1, "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": `Actions for: ${oneLine(message).slice(0, 60)}`,
    onclick: (event) => taps.actions(message.id, event.currentTarget) }, icon("more"));
}
