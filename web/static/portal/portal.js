// Times in the reader's own zone, values to copy, parts of a page that keep themselves fresh.
import { word } from "./words.js";

const SHOW = {
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  exact: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  date: { day: "numeric", month: "short", year: "numeric" },
};

// As the reader's browser writes them, where it speaks the language of the page.
const page = document.documentElement.lang;
const locale = navigator.language.split("-")[0] === page ? [] : page;

export function localTimes(root) {
  for (const node of root.querySelectorAll("time[datetime]:not([title])")) {
    const at = new Date(node.dateTime);
    node.title = node.dataset.utc ?? node.textContent;
    node.textContent = at.toLocaleString(locale, SHOW[node.dataset.show] ?? { dateStyle: "medium", timeStyle: "medium" });
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  const before = button.textContent;
  field.select();
  await navigator.clipboard?.writeText(field.value).catch(() => document.execCommand("copy"));
  button.textContent = word("copied");
  setTimeout(() => { button.textContent = before; }, 1500);
});

// A short id whose whole text is in data-copy-text.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text]");
  if (!button) return;
  await navigator.clipboard?.writeText(button.dataset.copyText);
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// <section data-live="/portal/..." data-every="5">: replaced by what that address answers, unless somebody types in it.
// What is focused or unfolded stays so.
function keepFresh(node) {
  const wait = Number(node.dataset.every ?? 5) * 1000;
  let shown = "";
  const refresh = async () => {
    try {
      if (document.hidden || node.querySelector("input:focus, select:focus, textarea:focus")) return;
      const answer = await fetch(node.dataset.live, { headers: { "X-Fragment": "1" } });
      if (answer.status === 401) return window.location.reload();
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const text = await answer.text();
      node.removeAttribute("data-stale");
      if (text === shown) return;
      shown = text;
      replace(node, text);
    } catch (error) {
      node.setAttribute("data-stale", error.message);
    } finally {
      setTimeout(refresh, wait);
    }
  };
  setTimeout(refresh, wait);
}

function replace(node, text) {
  const open = [...node.querySelectorAll("details[open][id]")].map((one) => one.id);
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  node.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  const same = focused && (focused.id ? `#${CSS.escape(focused.id)}` : focused.href && `a[href="${focused.getAttribute("href")}"]`);
  if (same) node.querySelector(same)?.focus({ preventScroll: true });
  localTimes(node);
}

// Work that is done step by step: each answer asks for the next step, as long as the page is there.
const onward = document.querySelector("form[data-goes-on]");
if (onward) setTimeout(() => onward.requestSubmit(), 500);

localTimes(document);
document.querySelectorAll("[data-live]").forEach(keepFresh);
