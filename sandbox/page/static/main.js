// Brings phone, desk and faults together and keeps them live.
import { call, el, throttled } from "./dom.js";
import { DeskSide } from "./desk/side.js";
import { Faults } from "./faults.js";
import { PhoneSide } from "./phone/side.js";
import { Routing } from "./routing.js";

const phone = new PhoneSide(document.getElementById("phone"));
const desk = new DeskSide(document.getElementById("desk"));
const faults = new Faults();
new Routing(phone);
const picker = document.getElementById("line");
let accounts = { whatsapp: [], genesys: [], lines: [] };

async function loadAccounts() {
  accounts = await call("/accounts");
  const chosen = picker.value;
  picker.replaceChildren(...accounts.whatsapp.map((each) => el("option", { value: each.phone_number_id }, `${each.verified_name || "Number"}, ${each.display_phone_number || each.phone_number_id}`)));
  if (accounts.whatsapp.some((each) => each.phone_number_id === chosen)) picker.value = chosen;
  await showLine();
}

async function showLine() {
  const number = accounts.whatsapp.find((each) => each.phone_number_id === picker.value);
  const pair = accounts.lines.find((each) => each.phone_number_id === picker.value);
  const integration = accounts.genesys.find((each) => each.integration_id === pair?.integration_id) ?? accounts.genesys[0];
  tellAboutCallbacks(number, integration);
  await Promise.all([number && phone.setLine(number), integration?.integration_id !== desk.integration?.integration_id && desk.setIntegration(integration)]);
}

function tellAboutCallbacks(number, integration) {
  const missing = [!number?.effective_callback_url && "WhatsApp", !integration?.webhook_url && "Genesys"].filter(Boolean);
  const notice = document.getElementById("notice");
  notice.hidden = !missing.length;
  notice.textContent = missing.length ? `Nobody listens yet: no webhook is subscribed for ${missing.join(" and ")} on this line. Messages stay here until the relay is connected.` : "";
}

function listen() {
  const source = new EventSource("/control/events");
  const live = document.getElementById("live");
  const show = (on) => { live.classList.toggle("on", on); live.querySelector(".text").textContent = on ? "Live" : "Reconnecting"; };
  const settings = throttled(async () => { await loadAccounts(); phone.changed(""); desk.changed(""); await faults.count(); }, 300);
  source.addEventListener("open", () => show(true));
  source.addEventListener("error", () => show(false));
  source.addEventListener("change", (event) => {
    const { side, contact } = JSON.parse(event.data);
    if (side === "phone") phone.changed(contact);
    else if (side === "agent") desk.changed(contact);
    else settings();
  });
}

function bindTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const main = document.querySelector("main");
  const select = (tab) => {
    main.dataset.side = tab.getAttribute("aria-controls");
    for (const each of tabs) { each.setAttribute("aria-selected", String(each === tab)); each.tabIndex = each === tab ? 0 : -1; }
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      const other = tabs[(index + 1) % tabs.length];
      select(other);
      other.focus();
    });
  });
}

picker.addEventListener("change", showLine);
bindTabs();
listen();
