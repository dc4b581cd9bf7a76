// WhatsApp's text marks (*bold*, _italic_, ~struck~, `code`) and links, as elements. Text is never parsed as HTML.
import { el } from "./dom.js";

// Every repetition is bounded: a text of 100,000 stars must not stop the page.
const MARK = /```([\s\S]{1,4000}?)```|`([^`\n]{1,1000})`|(https?:\/\/[^\s<>"]{1,2000})|(?<![\p{L}\p{N}])([*_~])(?=\S)([^\n]{0,999}?\S)\4(?![\p{L}\p{N}])/gu;
const TAGS = { "*": "strong", _: "em", "~": "s" };
const SHOWN = 3000;

export function marked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(MARK)) {
    parts.push(text.slice(end, match.index), ...piece(match));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

function piece([whole, block, code, url, mark, inner]) {
  if (block ?? code) return [el("code", {}, block ?? code)];
  if (url) return linked(url);
  return [el(TAGS[mark], {}, ...marked(inner))];
}

// Genesys' desk knows no marks: there, only links stand out.
export function linksOnly(text) {
  return text.split(/(https?:\/\/[^\s<>"]{1,2000})/).flatMap((part, index) => (index % 2 ? linked(part) : [part])).filter((part) => part !== "");
}

// What ends a sentence does not belong to the link before it.
function linked(url) {
  const target = url.replace(/[.,;:!?)\]'*_~]+$/, "");
  return [link(target, target), url.slice(target.length)];
}

export function link(url, label, className = "link") {
  if (!/^https?:\/\//i.test(url)) return el("span", { class: className }, label);
  return el("a", { class: className, href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

// A long text is shown from its beginning; the rest comes when it is asked for.
export function textNode(text, draw = marked) {
  const node = el("div", { class: "text" }, ...draw(text.slice(0, SHOWN)));
  if (text.length > SHOWN) {
    const more = el("button", { type: "button", class: "more", onclick: () => node.replaceChildren(...draw(text)) }, "Read more");
    node.append("… ", more);
  }
  return node;
}
