// The bar under a chat: text, a file of one's own, or one of the samples.
import { bytes, el, icon, toast } from "./dom.js";

export class Compose {
  constructor(form, { placeholder, samples, send }) {
    this.form = form;
    this.send = send;
    this.file = null;
    this.text = el("textarea", { rows: 1, "aria-label": placeholder, placeholder, onkeydown: (event) => this.key(event) });
    this.picker = el("input", { type: "file", hidden: true, onchange: () => this.attach(this.picker.files[0]) });
    this.opener = el("button", { type: "button", class: "icon", "aria-label": "Attach", "aria-expanded": "false", onclick: () => this.toggle() }, icon("attach"));
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
    this.menu = this.buildMenu(samples);
    form.append(this.opener, this.picker, this.text, this.button, this.menu);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") this.toggle(false); });
    document.addEventListener("click", (event) => { if (!form.contains(event.target)) this.toggle(false); });
    form.parentElement.addEventListener("dragover", (event) => event.preventDefault());
    form.parentElement.addEventListener("drop", (event) => { event.preventDefault(); this.attach(event.dataTransfer.files[0]); });
  }

  enable(on) {
    for (const node of [this.text, this.opener, this.button]) node.disabled = !on;
  }

  buildMenu(samples) {
    const choices = [["Choose a file…", () => this.picker.click()], ...samples.map(([label, fields]) => [label, () => this.deliver(fields)])];
    const menu = el("div", { class: "menu", role: "menu", "aria-label": "Attach", hidden: true },
      ...choices.map(([label, act]) => el("button", { type: "button", role: "menuitem", onclick: () => { this.toggle(false); act(); } }, label)));
    menu.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const items = [...menu.children];
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    });
    return menu;
  }

  toggle(open = this.menu.hidden) {
    const hadFocus = this.menu.contains(document.activeElement);
    this.menu.hidden = !open;
    this.opener.setAttribute("aria-expanded", String(open));
    if (open) this.menu.firstChild.focus();
    else if (hadFocus) this.text.focus();
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  attach(file) {
    this.picker.value = "";
    this.file = file ?? null;
    this.form.querySelector(".chip")?.remove();
    if (!file) return;
    this.form.append(el("div", { class: "chip" }, el("span", {}, `${file.name}, ${bytes(file.size)}`),
      el("button", { type: "button", class: "icon", "aria-label": "Remove the file", onclick: () => this.attach(null) }, icon("close"))));
    this.text.focus();
  }

  async submit() {
    const text = this.text.value.trim();
    if (!text && !this.file) return;
    const fields = text ? { text } : {};
    if (await this.deliver(fields, this.file)) { this.text.value = ""; this.attach(null); }
  }

  async deliver(fields, file = null) {
    try {
      await this.send(fields, file);
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    }
  }
}

export function formOf(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  form.append("file", file, file.name);
  return form;
}
