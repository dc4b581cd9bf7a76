// Structured contents as an agent's desk draws them: questions with their answers, cards, pickers, notifications, places.
import { el, icon } from "../dom.js";
import { placeCard } from "../cards.js";
import { link, linksOnly, textNode } from "../markup.js";

const DRAW = {
  QuickReply: () => null, // drawn together, below
  QuickReplyV2: ({ quickReplyV2: it }) => el("div", { class: "card" }, title(it.title), choices((it.actions ?? []).map((each) => each.text))),
  Card: ({ card }) => cardNode(card),
  Carousel: ({ carousel }) => el("div", { class: "carousel", role: "group", "aria-label": "Carousel", tabindex: 0 }, ...(carousel.cards ?? []).map(cardNode)),
  DatePicker: ({ datePicker: it }) => el("div", { class: "card" }, headed("calendar", it.title), soft(it.subtitle), choices((it.availableTimes ?? []).map((each) => moment(each.dateTime)))),
  ListPicker: ({ listPicker: it }) => listNode(it),
  Notification: ({ template }) => notificationNode(template),
  Location: ({ location: it }) => placeCard({ ...it, name: it.text }),
  Text: ({ text }) => textNode(text?.body ?? "", linksOnly),
  Attachment: ({ attachment }) => (attachment?.mediaType === "Link" ? link(attachment.url, attachment.text || attachment.filename || attachment.url, "option") : null),
};

export function structuredParts(content) {
  const replies = content.filter((each) => each.contentType === "QuickReply").map((each) => each.quickReply?.text ?? "");
  const parts = content.map((each) => drawn(each));
  return [...parts, replies.length ? choices(replies) : null].filter(Boolean);
}

// What one day may come, or came in an odd shape, is named and not hidden.
function drawn(item) {
  const draw = DRAW[item.contentType];
  const body = Object.entries(item).find(([name]) => name !== "contentType")?.[1];
  if (draw && (body || item.contentType === "QuickReply")) return draw(item);
  return el("div", { class: "card" }, title(item.contentType.replace(/([a-z])([A-Z])/g, "$1 $2")), el("details", {}, el("summary", {}, "Content"), el("code", {}, JSON.stringify(body ?? {}, null, 1))));
}

function title(text) {
  return text ? el("b", {}, text) : null;
}

function headed(name, text) {
  return el("div", { class: "card-head" }, icon(name), title(text));
}

function soft(text) {
  return text ? el("small", {}, text) : null;
}

function choices(labels) {
  return el("div", { class: "choices", role: "list" }, ...labels.map((label) => el("span", { role: "listitem" }, label)));
}

function cardNode({ title: head, description, image, video, defaultAction, actions = [] }) {
  const links = [...(defaultAction?.url ? [defaultAction] : []), ...actions].filter((each) => each.type === "Link");
  return el("div", { class: "card" }, picture(image), video ? link(video, "Video", "option") : null, title(head), soft(description),
    choices(actions.filter((each) => each.type !== "Link").map((each) => each.text)), ...links.map((each) => link(each.url, each.text || each.url, "option")));
}

// Only pictures of the sandbox itself are shown; another server's is a link.
function picture(url) {
  if (!url) return null;
  const { port, pathname, search } = new URL(url, location.href);
  if (port !== location.port) return link(url, "Picture", "option");
  return el("img", { class: "picture", src: pathname + search, alt: "" });
}

function listNode({ sections = [], receivedMessage }) {
  const rows = sections.flatMap((section) => [soft(section.title), ...(section.items ?? []).map((item) => el("span", { class: "row" }, item.title, soft(item.subtitle)))]);
  return el("div", { class: "card" }, headed("list", receivedMessage?.title), soft(receivedMessage?.subtitle), el("div", { class: "rows" }, ...rows.filter(Boolean)));
}

function notificationNode({ id, language, header, body, footer, buttons = [] }) {
  const [answers, others] = [true, false].map((wanted) => buttons.filter((each) => (each.type === "QuickReply") === wanted));
  return el("div", { class: "card" }, id ? soft(`Template ${id}${language ? `, ${language}` : ""}`) : null, picture(header?.media?.url), title(filled(header)),
    body?.text ? textNode(filled(body), linksOnly) : null, soft(footer?.text), choices(answers.map((each) => each.text)),
    ...others.map((each) => link(each.url ?? "", `${each.text}${each.phoneNumber ? `: ${each.phoneNumber}` : ""}`, "option")));
}

function filled({ text = "", parameters = [] } = {}) {
  return parameters.reduce((whole, each) => whole.replaceAll(`{{${each.name}}}`, each.text), text);
}

function moment(iso) {
  const found = new Date(iso);
  if (Number.isNaN(found.valueOf())) return String(iso);
  return found.toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
