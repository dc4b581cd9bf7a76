// The drawer: trouble on demand, and what happened so far.
import { call, el, inOrder, post, toast } from "./dom.js";

const PERCENT = (value) => `${Math.round(value * 100)} %`;
const SHARED = [["error_rate", "Calls refused", 1, PERCENT], ["timeout_rate", "Answers lost after processing", 1, PERCENT], ["drop_rate", "Connections dropped", 1, PERCENT],
  ["html_502_rate", "Bad gateway pages", 1, PERCENT], ["media_404_rate", "Files not found", 1, PERCENT], ["duplicate_rate", "Webhooks doubled", 1, PERCENT]];
const CODES = { meta: [["500", "500 something went wrong"], ["429", "429 with Retry-After"], ["130429", "130429 rate limit"], ["131056", "131056 pair rate limit"], ["190", "190 token invalid"], ["131000", "131000 something went wrong"]],
  genesys: [["500", "500 server error"], ["503", "503 unavailable"], ["429", "429 with Retry-After"], ["401", "401 credentials"], ["404", "404 not found"]] };
const TOKENS = [["", "Valid"], ["until_renewed", "Expired until renewed"], ["for_good", "Refused for good"]];
const TITLES = { meta: "WhatsApp (Meta)", genesys: "Genesys Cloud" };

export class Faults {
  constructor() {
    this.dialog = document.getElementById("faults");
    this.fields = document.getElementById("fault-fields");
    this.count = inOrder(() => call("/faults"), (faults) => this.showCount(faults));
    document.getElementById("open-faults").addEventListener("click", () => this.open());
    this.dialog.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => clearInterval(this.timer));
    document.getElementById("clear-faults").addEventListener("click", async () => { await call("/faults", { method: "DELETE" }); this.draw(await call("/faults")); });
  }

  async open() {
    this.draw(await call("/faults"));
    this.dialog.showModal();
    this.figures();
    this.timer = setInterval(() => this.figures(), 2000);
  }

  showCount(faults) {
    const active = Object.values(faults).reduce((sum, side) => sum + this.active(side), 0);
    const node = document.getElementById("fault-count");
    node.hidden = !active;
    node.textContent = active;
    node.setAttribute("aria-label", `${active} active`);
  }

  active(side) {
    return SHARED.filter(([name]) => side[name] > 0).length + (side.html_502_processed_rate > 0) + (side.latency_ms[1] > 0) + (side.reorder.rate > 0) + Boolean(side.batch) + Boolean(side.token_expired);
  }

  draw(faults) {
    this.fields.replaceChildren(...["meta", "genesys"].map((side) => this.side(side, faults[side])));
  }

  side(side, now) {
    const set = (fields) => post("/faults", { [side]: fields }).then(() => this.count()).catch((error) => toast(error.message));
    const rows = [this.slider("Latency", now.latency_ms[1], 3000, (value) => `${value} ms`, (value) => set({ latency_ms: [Math.round(value / 4), value] }), 50)];
    for (const [name, label, max, show] of SHARED) {
      rows.push(this.slider(label, now[name], max, show, (value) => set({ [name]: value })));
      if (name === "error_rate") rows.push(this.choice("with", CODES[side], String(now.error_codes[0]), (value) => set({ error_codes: [Number(value)] })));
    }
    rows.push(this.slider("Webhooks swapped", now.reorder.rate, 1, PERCENT, (value) => set({ reorder: { rate: value, window_ms: now.reorder.window_ms } })));
    if (side === "meta") rows.push(this.check("Webhooks in batches", Boolean(now.batch), (on) => set({ batch: on ? { max: 100, wait_ms: 300 } : null })));
    rows.push(this.choice("Access tokens", TOKENS, now.token_expired ?? "", (value) => set({ token_expired: value || null })));
    return el("fieldset", {}, el("legend", {}, TITLES[side]), ...rows);
  }

  slider(label, value, max, show, change, step = max / 20) {
    // Not an <output>: that would take the label away from the slider.
    const output = el("b", { "aria-hidden": "true" }, show(value));
    const row = el("label", { class: `slider${value > 0 ? " on" : ""}` }, el("span", {}, label), output);
    row.append(el("input", { type: "range", min: 0, max, step, value, "aria-label": label, "aria-valuetext": show(value), oninput: (event) => { output.textContent = show(Number(event.target.value)); event.target.setAttribute("aria-valuetext", output.textContent); row.classList.toggle("on", event.target.value > 0); }, onchange: (event) => change(Number(event.target.value)) }));
    return row;
  }

  choice(label, options, value, change) {
    const select = el("select", { onchange: (event) => change(event.target.value) }, ...options.map(([code, text]) => el("option", { value: code }, text)));
    if (!options.some(([code]) => code === value)) select.append(el("option", { value }, value));
    select.value = value;
    return el("label", { class: "pick" }, el("span", {}, label), select);
  }

  check(label, on, change) {
    return el("label", { class: "switch" }, el("input", { type: "checkbox", checked: on, onchange: (event) => change(event.target.checked) }), el("i"), label);
  }

  async figures() {
    const stats = await call("/stats");
    const sum = (counts, start) => Object.entries(counts).filter(([name]) => name.startsWith(start)).reduce((total, [, count]) => total + count, 0);
    const rows = [["Webhooks sent", (side) => side.webhooks.posts], ["Webhooks delivered", (side) => side.webhooks.delivered], ["Webhooks doubled", (side) => side.webhooks.duplicated], ["Webhooks swapped", (side) => side.webhooks.swapped],
      ["Webhooks repeated", (side) => side.webhooks.retried], ["Calls answered", (side) => sum(side.answers, "2")], ["Calls refused", (side) => sum(side.answers, "4")], ["Errors injected", (side) => sum(side.errors_injected, "")]];
    const table = el("div", { class: "figures" }, el("span"), el("span", { class: "of" }, "WhatsApp"), el("span", { class: "of" }, "Genesys"),
      ...rows.flatMap(([label, read]) => [el("span", {}, label), el("b", {}, String(read(stats.meta))), el("b", {}, String(read(stats.genesys)))]));
    const findings = Object.entries(stats.findings_count).map(([code, count]) => el("li", {}, `${count} × ${stats.findings.findLast((each) => each.code === code)?.text ?? code}`));
    document.getElementById("figures").replaceChildren(table, el("ul", { class: "findings", "aria-label": "Findings" }, ...findings));
  }
}
