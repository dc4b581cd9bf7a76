// Who holds the phone: choosing, adding, changing a number, and the phone's own switches.
import { call, el, post, toast } from "../dom.js";

const DEFAULT = { wa_id: "4915112345678", name: "Ada Brandt" };

export class People {
  constructor(changed) {
    this.changed = changed;
    this.names = new Map([[DEFAULT.wa_id, DEFAULT.name]]);
    this.current = localStorage.getItem("customer") ?? DEFAULT.wa_id;
    this.settings = {};
    this.picker = document.getElementById("customer");
    this.picker.addEventListener("change", () => this.choose(this.picker.value));
    this.bindSwitches();
    this.bindNew();
    this.bindNumber();
  }

  get name() {
    return this.names.get(this.current) ?? "";
  }

  choose(waId) {
    this.current = waId;
    localStorage.setItem("customer", waId);
    this.picker.value = waId;
    this.changed();
  }

  async load() {
    const { contacts } = await call("/phone/contacts?limit=200");
    for (const each of contacts) if (each.name) this.names.set(each.wa_id, each.name);
    if (!this.names.has(this.current)) this.names.set(this.current, `+${this.current}`);
    this.picker.replaceChildren(...[...this.names].map(([waId, name]) => el("option", { value: waId }, name || `+${waId}`)));
    this.picker.value = this.current;
  }

  async loadSettings() {
    this.settings = await call(`/phone/${this.current}`);
    document.getElementById("online").checked = this.settings.online;
    document.getElementById("reads").checked = this.settings.reads_automatically;
  }

  set(fields) {
    return post(`/phone/${this.current}`, fields).catch((error) => toast(error.message));
  }

  bindSwitches() {
    for (const [id, field] of [["online", "online"], ["reads", "reads_automatically"]]) {
      document.getElementById(id).addEventListener("change", (event) => this.set({ [field]: event.target.checked }));
    }
  }

  async hideNumber() {
    await this.set({ hide_phone: !this.settings.hide_phone });
    await this.loadSettings();
    toast(this.settings.hide_phone ? "The number is hidden: the business sees a user id only" : "The business sees the number again");
  }

  bindNew() {
    const form = this.dialog("customer-dialog", async ({ name, number, hide_phone: hides }) => {
      const waId = digits(number.value);
      await post(`/phone/${waId}`, { name: name.value.trim(), hide_phone: hides.checked });
      this.names.set(waId, name.value.trim());
      this.choose(waId);
    });
    document.getElementById("new-customer").addEventListener("click", () => form.ask());
  }

  bindNumber() {
    const form = this.dialog("number-dialog", async ({ number }) => {
      const moved = await post(`/phone/${this.current}/number`, { wa_id: digits(number.value) });
      this.names.set(moved.wa_id, this.name);
      this.names.delete(this.current);
      this.choose(moved.wa_id);
    });
    this.changeNumber = () => form.ask();
  }

  dialog(id, accept) {
    const dialog = document.getElementById(id);
    const form = dialog.querySelector("form");
    form.querySelector("[value=cancel]").addEventListener("click", () => dialog.close());
    form.addEventListener("submit", () => accept(form.elements).then(() => this.load()).catch((error) => toast(error.message)));
    return { ask: () => { form.reset(); dialog.showModal(); } };
  }
}

function digits(number) {
  return number.replace(/\D/g, "");
}
