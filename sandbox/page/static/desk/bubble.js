// One message at the desk: text, file, structured content, a chosen answer, and what became of it.
import { clock, el, icon } from "../dom.js";
import { vcardCard } from "../cards.js";
import { link, linksOnly, textNode } from "../markup.js";
import { brokenNode, fileNode } from "../media.js";
import { structuredParts } from "./structured.js";

const REASONS = { MessageExpired: "The 24 hours are over", RateLimited: "Too many messages", MessageNotAllowed: "Not allowed", UnsupportedMessage: "This kind cannot be sent", UnknownMessage: "The message is not known",
  InvalidMessageStructure: "The message is not well formed", InvalidDestination: "This person cannot be reached", ServerError: "The provider had a fault", MediaTypeNotAllowed: "This kind of file cannot be sent",
  InvalidMediaContentLength: "The file is too large", RecipientOptedOut: "The person does not want messages", DataFiltered: "The content was held back", GeneralError: "It was not delivered" };

// What the relay tells of itself: no customer wrote it.
const NEWS = new Set(["system", "request_welcome", "call"]);

export function bubble(message) {
  const own = message.direction === "outbound";
  if (!own && NEWS.has(message.custom_attributes?.whatsapp_type)) return el("div", { class: "news" }, message.text ?? "");
  const failed = message.status === "Failed" || message.webhook?.state === "given up";
  return el("div", { class: `bubble${own ? " own" : ""}${failed ? " failed" : ""}` }, ...content(message), meta(message, own));
}

function content(message) {
  if (message.button_response) return [chosen(message.button_response)];
  return [message.attachment ? attachment(message.attachment) : null, message.text ? textNode(message.text, linksOnly) : null, ...structuredParts(message.content)].filter(Boolean);
}

function chosen({ type, text, payload, originating_message_id: asked }) {
  const kind = { QuickReply: "Chose a quick reply", Button: "Tapped a card’s button", DatePicker: "Chose a time" }[type] ?? "Chose an answer";
  return el("div", { class: "chosen" }, el("small", {}, kind), el("b", {}, text),
    el("details", { class: "payload" }, el("summary", {}, "Payload"), el("code", {}, payload), el("small", {}, `Answer to message ${asked}`)));
}

function attachment(file) {
  if (file.media_type === "Link") return link(file.url, file.text || file.filename || file.url, "option");
  if (file.copy && file.preview && /vcard|directory/.test(file.mime)) return vcard(file);
  if (file.copy) return fileNode({ mime: file.mime, url: file.copy, name: file.filename, size: file.size });
  if (file.fetch.state === "waiting") return brokenNode("Fetching the file…", file.filename);
  return brokenNode(file.fetch.state === "removed" ? "File removed by Genesys" : "File could not be fetched", file.fetch.error);
}

function vcard(file) {
  const card = vcardCard(file.preview);
  card.append(el("a", { class: "save", href: file.copy, download: file.filename ?? "contact.vcf", "aria-label": `Save ${file.filename ?? "the contact"}` }, icon("file")));
  return card;
}

function meta(message, own) {
  return el("div", { class: "meta" }, el("time", {}, clock(new Date(message.received_at))), ...(own ? receipt(message) : []));
}

function receipt(message) {
  const hook = message.webhook;
  if (hook && hook.state !== "delivered" && hook.state !== "waiting" && message.status === "Sent") {
    return [el("span", { class: "note" }, hook.state === "retrying" ? `webhook refused, attempt ${hook.attempts}` : hook.state)];
  }
  if (message.status !== "Failed") return [el("span", { class: "state" }, message.status)];
  const reason = message.receipts.at(-1)?.reasons[0];
  if (!reason) return [el("span", { class: "problem" }, "Failed: no reason given")];
  return [el("span", { class: "problem" }, `Failed: ${REASONS[reason.code] ?? reason.code}`), el("span", { class: "detail" }, `${reason.code}: ${reason.message}`)];
}
