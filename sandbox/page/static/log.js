// A list of bubbles that changes only where a message changed: players keep playing, scrolling stays put.
import { el } from "./dom.js";

export class Log {
  constructor(node, draw, emptyText) {
    this.node = node;
    this.draw = draw;
    this.emptyText = emptyText;
    this.drawn = new Map();
    this.stuck = true;
    this.top = 0;
    node.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // A picture knows its height only when it has loaded; a hidden tab has none at all.
    for (const name of ["load", "loadedmetadata"]) node.addEventListener(name, () => this.follow(), true);
    new ResizeObserver(() => this.follow()).observe(node);
  }

  // Only who scrolls up lets go of the end: what grows below says nothing about the reader.
  scrolled() {
    const atEnd = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 60;
    this.stuck = atEnd || (this.stuck && this.node.scrollTop >= this.top);
    this.top = this.node.scrollTop;
  }

  follow() {
    if (this.stuck) this.node.scrollTop = this.node.scrollHeight;
  }

  show(messages, momentOf) {
    const next = new Map();
    const nodes = [];
    let day = "";
    for (const message of messages) {
      const itsDay = momentOf(message).toDateString();
      if (itsDay !== day) { day = itsDay; nodes.push(this.separator(momentOf(message), next)); }
      const print = JSON.stringify(message);
      const known = this.drawn.get(message.id);
      const entry = known?.print === print ? known : { print, node: this.redrawn(known?.node, this.drawing(message)) };
      next.set(message.id, entry);
      nodes.push(entry.node);
    }
    if (!nodes.length) nodes.push(el("div", { class: "empty" }, this.emptyText()));
    this.drawn = next;
    this.place(nodes);
    this.follow();
  }

  // Tests send shapes that no client would: one of them must not take the chat away.
  drawing(message) {
    try {
      return this.draw(message);
    } catch (error) {
      console.warn(`message ${message.id} cannot be drawn:`, error.message);
      return el("div", { class: "news" }, `A message of type ${message.type} that cannot be shown`);
    }
  }

  // What looks the same stays the same element: a button that is being pressed while a tick turns blue still clicks.
  redrawn(node, fresh) {
    if (!node) return fresh;
    node.className = fresh.className;
    const parts = [...fresh.childNodes];
    parts.forEach((part, index) => {
      const known = node.childNodes[index];
      if (!known) node.append(part);
      else if (!known.isEqualNode(part)) known.replaceWith(part);
    });
    while (node.childNodes.length > parts.length) node.lastChild.remove();
    return node;
  }

  jump(id) {
    const node = this.drawn.get(id)?.node;
    node?.scrollIntoView({ block: "center" });
    node?.animate({ outlineColor: ["var(--accent)", "transparent"], outlineStyle: ["solid", "solid"] }, 1500);
  }

  separator(moment, next) {
    const key = `day ${moment.toDateString()}`;
    const known = this.drawn.get(key) ?? { node: el("div", { class: "day" }, this.dayName(moment)) };
    next.set(key, known);
    return known.node;
  }

  dayName(moment) {
    if (moment.toDateString() === new Date().toDateString()) return "Today";
    return moment.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
  }

  place(nodes) {
    nodes.forEach((node, index) => {
      if (this.node.children[index] !== node) this.node.insertBefore(node, this.node.children[index] ?? null);
    });
    while (this.node.children.length > nodes.length) this.node.lastChild.remove();
  }
}
