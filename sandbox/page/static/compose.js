// The bar under a chat: text, a file of one's own, and a menu of everything else that can be sent.
import { bytes, el, icon, toast } from "./dom.js";
import { Menu } from "./menu.js";

export class Compose {
  // `more` is {label, groups()}: what the menu holds is asked for each time it opens.
  constructor(form, { placeholder, more, send, typing }) {
    this.form = form;
    this.send = send;
    this.typing = typing;
    this.file = null;
    this.mode = null;
    this.text = el("textarea", { rows: 1, "aria-label": placeholder, placeholder, onkeydown: (event) => this.key(event), oninput: () => this.typing?.() });
    this.picker = el("input", { type: "file", hidden: true, onchange: () => this.attach(this.picker.files[0]) });
    this.clip = el("button", { type: "button", class: "icon", "aria-label": "Attach a file", title: "Attach a file", onclick: () => this.picker.click() }, icon("attach"));
    this.opener = el("button", { type: "button", class: "icon", "aria-label": more.label, title: more.label, "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.openMenu(more) }, icon("plus"));
    this.button = el("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
    this.above = el("div", { class: "above" });
    form.append(this.above, this.opener, this.clip, this.picker, this.text, this.button);
    this.menu = new Menu(form, more.label, "more");
    form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.acceptDrops(form.parentElement);
    this.enable(false);
  }

  acceptDrops(area) {
    area.addEventListener("dragover", (event) => event.preventDefault());
    area.addEventListener("drop", (event) => { event.preventDefault(); this.attach(event.dataTransfer.files[0]); });
  }

  enable(on) {
    for (const node of [this.text, this.opener, this.clip, this.button]) node.disabled = !on;
  }

  openMenu(more) {
    const room = this.form.getBoundingClientRect().top - this.form.parentElement.getBoundingClientRect().top;
    this.menu.node.style.maxHeight = `${Math.min(room - 14, 480)}px`;
    this.menu.fill(more.groups());
    this.menu.toggle(this.opener);
  }

  key(event) {
    if (event.key === "Escape" && this.mode) this.cancel();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  // Text that waits for its writer, such as a template's first line.
  prefill(text) {
    this.text.value = text;
    this.text.focus();
    this.text.setSelectionRange(text.length, text.length);
  }

  attach(file) {
    this.picker.value = "";
    this.file = file ?? null;
    this.chip("file", file && [`${file.name}, ${bytes(file.size)}`], "Remove the file", () => this.attach(null));
    if (file) this.text.focus();
  }

  // A mode is {title, preview, fields} for a reply or {title, preview, text, act} for an edit; null ends it.
  setMode(mode) {
    this.mode = mode;
    this.chip("mode", mode && [el("b", {}, mode.title), mode.preview], "Cancel", () => this.cancel());
    if (mode?.text !== undefined) this.text.value = mode.text;
    this.text.focus();
  }

  // The text of an edit goes with it.
  cancel() {
    if (this.mode?.act) this.text.value = "";
    this.setMode(null);
  }

  chip(kind, parts, label, drop) {
    this.above.querySelector(`.chip.${kind}`)?.remove();
    if (!parts) return;
    this.above.append(el("div", { class: `chip ${kind}` }, el("span", {}, ...parts),
      el("button", { type: "button", class: "icon", "aria-label": label, onclick: drop }, icon("close"))));
  }

  async submit() {
    const written = this.text.value;
    const text = written.trim();
    if (this.sending || (!text && !this.file)) return;
    const { mode, file } = this;
    this.sending = true;
    const done = mode?.act ? await this.attempt(() => mode.act(text)) : await this.deliver(text ? { text } : {}, file);
    this.sending = false;
    if (!done) return;
    // Whoever is fast has gone on to something else meanwhile.
    if (this.text.value === written) this.text.value = "";
    if (mode && this.mode === mode) this.setMode(null);
    if (file && this.file === file) this.attach(null);
  }

  deliver(fields, file = null) {
    const { fields: shared } = this.mode ?? {};
    return this.attempt(() => this.send({ ...fields, ...shared }, file));
  }

  async attempt(action) {
    try {
      await action();
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
