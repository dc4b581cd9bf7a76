// What is neither text nor file: places, contacts, orders, adverts, and answers to forms.
import { el, icon, initials } from "./dom.js";
import { link } from "./markup.js";

// A drawn square instead of a map: nothing here leaves the machine.
export function placeCard({ latitude, longitude, name, address, url }) {
  const spot = `${Number(latitude).toFixed(5)}, ${Number(longitude).toFixed(5)}`;
  return el("div", { class: "card place" }, el("div", { class: "map", "aria-hidden": "true" }, icon("pin")),
    el("div", { class: "card-text" }, el("b", {}, name || "Location"), address ? el("span", {}, address) : null,
      el("small", {}, spot), url ? link(url, url) : null));
}

export function contactCards(contacts) {
  return contacts.map((each) => {
    const lines = [each.organisation, ...(each.phones ?? []), ...(each.emails ?? [])].filter(Boolean);
    return personCard(each.name || each.phones?.[0] || "Contact", lines);
  });
}

function personCard(name, lines) {
  return el("div", { class: "card person" }, el("span", { class: "avatar tone-2", "aria-hidden": "true" }, initials(name)),
    el("div", { class: "card-text" }, el("b", {}, name), ...lines.map((line) => el("small", {}, line))));
}

// Name, telephone numbers and addresses of a vCard's first person; enough to recognise who it is.
export function vcardCard(text) {
  const values = (field) => [...text.matchAll(new RegExp(`^(?:item\\d+\\.)?${field}(?:;[^:\\n]*)?:(.+)$`, "gim"))].map((match) => match[1].trim());
  const clean = (value) => value.replace(/\\([,;\\])/g, "$1").replace(/\\n/gi, " ");
  const name = values("FN")[0] ?? values("N")[0]?.split(";").filter(Boolean).reverse().join(" ") ?? "Contact";
  return personCard(clean(name), [...values("ORG"), ...values("TEL"), ...values("EMAIL")].slice(0, 4).map((each) => clean(each).replaceAll(";", ", ")));
}

export function orderCard({ product_items: items = [], text }) {
  const rows = items.map((each) => el("li", {}, el("span", {}, `${each.quantity} × ${each.product_retailer_id}`), el("span", {}, money(each.item_price * each.quantity, each.currency))));
  const currencies = new Set(items.map((each) => each.currency));
  const total = items.reduce((sum, each) => sum + each.item_price * each.quantity, 0);
  return el("div", { class: "card order" }, el("div", { class: "card-head" }, icon("cart"), el("b", {}, `${items.length} ${items.length === 1 ? "item" : "items"}`), currencies.size === 1 ? el("span", {}, money(total, items[0].currency)) : null),
    el("ul", {}, ...rows), text ? el("div", { class: "text" }, text) : null);
}

function money(amount, currency) {
  if (!Number.isFinite(amount)) return "";
  if (!/^[A-Z]{3}$/.test(currency ?? "")) return String(amount);
  return amount.toLocaleString([], { style: "currency", currency });
}

export function advertCard({ headline, body, source_url: url, source_type: type }) {
  return el("div", { class: "card advert" }, el("small", {}, type === "post" ? "From a post" : "From an advert"),
    headline ? el("b", {}, headline) : null, body ? el("span", {}, body) : null, url ? link(url, url.replace(/^https?:\/\//, "")) : null);
}

// The values of a form; what is not a JSON object is shown as it came.
export function formCard(title, json) {
  return el("div", { class: "card form" }, el("div", { class: "card-head" }, icon("form"), el("b", {}, title)),
    el("dl", {}, ...pairs(json).flatMap(([name, value]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, value)])));
}

function pairs(json) {
  try {
    return Object.entries(JSON.parse(json)).filter(([name]) => name !== "flow_token").map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  } catch {
    return json ? [["answer", String(json)]] : [];
  }
}
