// A menu of buttons: arrow keys, Home, End and Escape work, a click elsewhere closes it, focus returns to its opener.
import { el } from "./dom.js";

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

export class Menu {
  constructor(host, label, className = "") {
    this.opener = null;
    this.node = el("div", { class: `menu ${className}`, role: "menu", "aria-label": label, hidden: true, onkeydown: (event) => this.key(event) });
    host.append(this.node);
    document.addEventListener("pointerdown", (event) => {
      if (!this.node.contains(event.target) && !this.opener?.contains(event.target)) this.close(false);
    });
    this.node.addEventListener("focusout", ({ relatedTarget: to }) => { if (to && to !== this.opener && !this.node.contains(to)) this.close(false); });
  }

  // `groups` are [title, [[label, act, spoken?], ...]]; an item with a spoken name shows nothing but an emoji.
  fill(groups) {
    this.node.replaceChildren(...groups.map(([title, items]) => el("div", { role: "group", "aria-label": title },
      el("span", { class: "menu-title", "aria-hidden": "true" }, title), ...items.map((item) => this.item(...item)))));
  }

  item(label, act, spoken) {
    const attributes = { "aria-label": spoken, class: spoken ? "emoji" : null };
    return el("button", { type: "button", role: "menuitem", tabindex: -1, ...attributes, onclick: () => { this.close(); act(); } }, label);
  }

  toggle(opener) {
    if (this.node.hidden || this.opener !== opener) this.open(opener);
    else this.close();
  }

  open(opener) {
    this.close(false);
    this.opener = opener;
    this.node.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    this.items[0]?.focus();
  }

  close(back = true) {
    if (this.node.hidden) return;
    this.node.hidden = true;
    this.opener?.setAttribute("aria-expanded", "false");
    if (back) this.opener?.focus();
  }

  get items() {
    return [...this.node.querySelectorAll("[role=menuitem]")];
  }

  key(event) {
    const items = this.items;
    const index = items.indexOf(document.activeElement);
    const target = { Home: 0, End: items.length - 1 }[event.key] ?? (index + STEPS[event.key] + items.length) % items.length;
    if (event.key === "Escape") this.close();
    else if (Number.isNaN(target)) return;
    else items[target].focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

// Beside its opener, inside `host`: above when there is no room below.
export function placeBeside(menu, opener, host) {
  const [frame, spot] = [host.getBoundingClientRect(), opener.getBoundingClientRect()];
  const { offsetWidth, offsetHeight } = menu;
  const left = Math.min(Math.max(spot.left - frame.left, 8), frame.width - offsetWidth - 8);
  const below = spot.bottom - frame.top + 4;
  const top = below + offsetHeight < frame.height - 8 ? below : Math.max(8, spot.top - frame.top - offsetHeight - 4);
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}
