// The drawer of Conversation Routing: how the line is routed, who owns the customer's thread, and the second responder.
import { call, el, post, toast } from "./dom.js";

const RESPONDERS = [["app", "The app"], ["business_agent", "Business Agent"]];
export const OWNERS = { app: "the app", business_agent: "the Business Agent" };
const ENTRIES = [["service", "Writes first"], ["marketing", "Answers a marketing template"], ["utility", "Answers a utility template"], ["ctwa", "Comes by an ad"], ["calls", "Calls"]];
const ROLES = [["customer_service", "Customer service"], ["marketing", "Marketing"], ["utility", "Utility"], ["ctwa", "Ads"], ["escalation", "Escalation partner"], ["ai_agent", "AI agent"]];
const RECAPS = [["", "None"], ["summary", "Summary"], ["history", "History"]];

export class Routing {
  // `side` is the phone: it knows the line and whose thread is meant.
  constructor(side) {
    this.side = side;
    this.dialog = document.getElementById("routing");
    this.fields = document.getElementById("routing-fields");
    this.thread = document.getElementById("routing-thread");
    document.getElementById("open-routing").addEventListener("click", () => this.open());
    this.dialog.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
    this.thread.addEventListener("submit", (event) => { event.preventDefault(); this.write(event.target); });
    for (const button of this.thread.querySelectorAll("[data-act]")) button.addEventListener("click", () => this.act(button.dataset.act));
  }

  get number() {
    return this.side.line.phone_number_id;
  }

  async open() {
    if (!this.side.line) return;
    await this.draw();
    this.dialog.showModal();
  }

  async draw() {
    const now = await call(`/routing?phone_number_id=${this.number}`);
    const pick = (group, options) => ([name, label]) => this.choice(label, options, now[group][name] ?? "", (value) => this.set({ [group]: { [name]: value || null } }));
    this.fields.replaceChildren(
      this.check("Conversation Routing", now.on, (on) => this.set({ on })), this.check("The app hears of others’ threads (standby)", now.standby, (standby) => this.set({ standby })),
      this.choice("Recap", RECAPS, now.recap ?? "", (value) => this.set({ recap: value || null })),
      el("fieldset", {}, el("legend", {}, "Who gets a customer who …"), ...ENTRIES.map(pick("primary", RESPONDERS))),
      el("fieldset", {}, el("legend", {}, "Who holds the role"), ...ROLES.map(pick("roles", [...RESPONDERS, ["", "Nobody"]]))));
    await this.owner();
  }

  async owner() {
    const { owner, role } = await call(`/routing/threads/${this.side.people.current}?to=${this.number}`);
    this.thread.querySelector("output").textContent = owner ? `Owned by ${OWNERS[owner]} (${role.replaceAll("_", " ")})` : "Nobody owns it";
  }

  set(fields) {
    return post("/routing", { phone_number_id: this.number, ...fields }).then(() => this.side.refresh()).catch((error) => toast(error.message));
  }

  async ask(path, fields) {
    try {
      await post(`/routing/threads/${this.side.people.current}${path}`, { to: this.number, ...fields });
    } catch (error) {
      this.thread.querySelector(".refusal").textContent = error.message;
      return false;
    }
    this.thread.querySelector(".refusal").textContent = "";
    await this.owner();
    return true;
  }

  act(action) {
    const form = this.thread.elements;
    if (action === "silence") return this.ask("/silence", { hours: 24 });
    if (action === "release") return this.ask("", { action });
    return this.ask("", { action, metadata: form.metadata.value || null, ...(action === "pass" ? { target_role: form.target.value } : {}) });
  }

  async write(form) {
    const field = form.elements.text;
    if (field.value.trim() && await this.ask("/messages", { text: field.value.trim() })) field.value = "";
  }

  choice(label, options, value, change) {
    const select = el("select", { onchange: (event) => change(event.target.value) }, ...options.map(([code, text]) => el("option", { value: code }, text)));
    select.value = value;
    return el("label", { class: "pick" }, el("span", {}, label), select);
  }

  check(label, on, change) {
    return el("label", { class: "switch" }, el("input", { type: "checkbox", checked: on, onchange: (event) => change(event.target.checked) }), el("i"), label);
  }
}
